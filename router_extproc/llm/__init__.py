"""What every dialect is translated to: inference requests and answers; and edits to request bodies."""
