"""Semantic router and semantic cache for LLM traffic, as an Envoy external processor."""

__version__ = "0.1.0"
