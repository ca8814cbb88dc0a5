"""Routing signals: one file each."""
