"""`python -m router_extproc`: the same as the command `router-extproc`."""

from router_extproc.cli import main

if __name__ == "__main__":
    main()
