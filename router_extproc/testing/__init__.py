"""Public aids for tests: fakes and contracts."""
