"""Reads a conversation: which of its text a human asked, and what that leans on."""
