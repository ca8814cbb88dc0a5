"""Texts made for training: contrasts, rephrasings, topics and word lists."""
