"""What happens to an inference request, and what is learned from its answer."""
