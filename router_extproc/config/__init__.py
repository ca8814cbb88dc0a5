"""The router configuration: its model, how it is read, how it is checked."""
