"""What the sidecar adds to plain Envoy: cases, load, report. Measured, never asserted."""
