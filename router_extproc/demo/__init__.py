"""Two small pools for `make run`: stand-ins, not models."""
