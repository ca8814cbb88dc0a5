"""Moving in from another router: its configuration becomes a router.yaml, with a list of what is lost."""
