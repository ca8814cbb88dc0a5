"""Shadow evaluation: a sample of requests is asked of another model, too, and the answers are compared."""
