"""The admin port's side of the cache: list, purge, warm, feedback, evidence."""
