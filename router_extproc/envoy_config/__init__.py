"""Renders Envoy configuration from a router configuration; envoy-data-plane lives here."""
