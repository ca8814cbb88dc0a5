"""The sans-IO core of the ext_proc protocol; standard library only."""
