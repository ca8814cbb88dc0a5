"""Logs and metrics; prompts, answers and keys never enter them."""
