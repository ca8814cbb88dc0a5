#!/usr/bin/env bash
# What `make test-clients` calls; needs .venv (make setup). Options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec .venv/bin/python tests/e2e/clients/run.py "$@"
