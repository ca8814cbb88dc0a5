"""`train selection`: the expected quality of several models, from a user's own evaluation table."""
