"""Client APIs: one folder per dialect."""
