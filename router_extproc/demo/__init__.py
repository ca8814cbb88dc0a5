"""Two small pools for `make run` and the runner that starts everything; stand-ins, not models."""
