"""What every API dialect is translated to: the inference request and the answer."""
