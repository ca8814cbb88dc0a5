"""Texts made for training: contrasts, rephrasings and word lists."""
