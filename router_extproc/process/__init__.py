"""What keeps the processes of one sidecar running: watching, handing over, signals, the service manager."""
