"""Models from a hub: listing, download, and the manifest of what was pulled."""
