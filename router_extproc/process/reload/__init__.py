"""Reload: another policy takes the place of the one in force, in all workers or in none."""
