"""Encoder, classifiers and verifier."""
