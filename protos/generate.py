"""Compile `ext_proc.proto` into `router_extproc/_pb/`; running it again changes nothing.

`python protos/generate.py [FOLDER]` writes elsewhere, so that a check can compare.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
PACKAGE = PROTOS.parent / "router_extproc" / "_pb"


def generate(folder: Path) -> int:
    """Write the stubs and their types into `folder`; returns protoc's exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    well_known = files("grpc_tools") / "_proto"
    arguments = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={well_known}",
        f"--python_out={folder}",
        f"--pyi_out={folder}",
        str(PROTOS / "ext_proc.proto"),
    ]
    code = int(protoc.main(arguments))
    if code == 0:
        (folder / "__init__.py").write_text('"""Generated from protos/ by `python protos/generate.py`."""\n')
    return code


if __name__ == "__main__":
    sys.exit(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE))
