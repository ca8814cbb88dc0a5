"""What operators see: metrics and logs, without anything that a client or a pool wrote."""
