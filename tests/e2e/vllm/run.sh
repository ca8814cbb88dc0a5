#!/usr/bin/env bash
# What `make test-vllm` calls; needs .venv (make setup). Options: see run.py --help.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec .venv/bin/python tests/e2e/vllm/run.py "$@"
