"""The application: what is opened once, and what is put together from it."""
