"""Makes the shipped heads; needs training rows, not the running router."""
