"""Heads trained on a user's own examples."""
