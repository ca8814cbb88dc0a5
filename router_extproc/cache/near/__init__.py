"""The near tier: the newest entries in this process, in front of the backend."""
