"""Fail-over: a request that was written for one pool, written anew for another one."""
