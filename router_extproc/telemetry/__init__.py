"""What operators see: metrics and logs, never what a client or a pool wrote."""
