# router_extproc: everything a person types. `make help` lists it.
#
# Works on a machine with make and Python 3.11 or newer; all packages go into .venv, pinned by
# deploy/*.lock. Stamp files make the second run instant.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
#: Put before a long silent command: a dot every two seconds, so that nobody thinks it hangs.
WITH_DOTS := while sleep 2; do printf .; done & dots=$$!; trap 'kill $$dots; echo' EXIT;
#: POOLS="small=http://host:port large=http://host:port" puts real pools in place of the demo ones.
POOLS ?=
#: More options for `router-extproc demo`, for example ARGS="--port 8811 --admin-port 9191".
ARGS ?=
#: Processes that share the files of tests between them; none: make test ARGS="-n 0".
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

#: Training only: the rows, the place of checkpoints, and torch, by whatever name gives its CPU build.
DATA ?=
WORK ?= .cache/training
TORCH ?= torch==2.13.0
TRAINING := .cache/training-venv

.PHONY: help setup run test check layers format test-vllm test-clients bench train-all proto envoy lock clean

help: ## List what you can ask for
	@printf 'router_extproc: a semantic router and cache beside Envoy\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nFirst time: make run\n'

# ── set-up ───────────────────────────────────────────────────────────────────────────────────

setup: $(VENV)/.encoder ## Make .venv with pinned packages, this project and the encoder

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setup 1/4: virtual environment in $(VENV)"
	@# Some systems ship Python without ensurepip: then their own pip fills the environment.
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	  || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
	       && $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet pip; } \
	  || { echo "no virtual environment could be made: install your system's python3-venv or pip" >&2; exit 1; }
	@touch $@

$(VENV)/.packages: deploy/requirements.lock | $(VENV)/.python
	@echo "setup 2/4: packages from deploy/requirements.lock (some 460 MB; one to three minutes, the first time only)"
	@# The lock is the whole closure: nothing is resolved, so nothing newer can come in beside it.
	@$(WITH_DOTS) $(PIP) install -qq --no-deps --require-hashes -r deploy/requirements.lock
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.packages
	@echo "setup 3/4: this project, editable"
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.encoder: $(VENV)/.project $(wildcard router_extproc/models/artifacts/*/manifest.json)
	@echo "setup 4/4: encoder, task layers and verifier (their weights are fetched the first time, 84 MB)"
	@$(BIN)/router-extproc models build
	@touch $@

# ── use ──────────────────────────────────────────────────────────────────────────────────────

run: setup ## Start Envoy on 127.0.0.1:8801, the sidecar, Milvus Lite and two pools
	@POOLS="$(POOLS)" exec $(BIN)/router-extproc demo $(ARGS)

bench: setup ## Measure what the sidecar adds to plain Envoy
	@$(BIN)/router-extproc bench $(ARGS)

# ── tests ────────────────────────────────────────────────────────────────────────────────────

test: setup ## All tests but those that need vLLM
	@$(PYTEST) -m "not vllm and not clients" $(ARGS)

test-vllm: setup ## The walk-through against two real vLLM servers (skips where vLLM cannot be installed)
	@tests/e2e/vllm/run.sh

test-clients: setup ## Ten official clients and frameworks, with the router and without it (fetches them the first time)
	@tests/e2e/clients/run.sh

check: setup ## Format, lint, types, unit tests; regenerated protos and envoy/ show no difference
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(PYTEST) -q tests/unit
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; $(BIN)/python protos/generate.py "$$scratch"; \
	  diff -r --exclude=__pycache__ "$$scratch" router_extproc/_pb \
	  || { echo "router_extproc/_pb differs from protos/: run make proto" >&2; exit 1; }
	@$(BIN)/router-extproc envoy --config deploy/router.yaml --out envoy --check \
	  || { echo "envoy/ differs from deploy/router.yaml: run make envoy" >&2; exit 1; }
	@echo "check: all good"

layers: setup ## Draw the layers and what each package imports; fails when an import breaks a rule
	@$(BIN)/python -m router_extproc.testing.layers

format: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# ── training ─────────────────────────────────────────────────────────────────────────────────

$(TRAINING)/.ready: $(VENV)/.encoder
	@echo "torch for training, in an environment of its own: $(TRAINING)"
	@$(PYTHON) -m venv --clear $(TRAINING)
	@$(WITH_DOTS) $(TRAINING)/bin/python -m pip --disable-pip-version-check install -q "$(TORCH)" matplotlib
	@# What the project needs comes from its own environment, pinned as everywhere else.
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(TRAINING)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	@touch $@

train-all: $(TRAINING)/.ready ## Remake every shipped model from rows: make train-all DATA=../shared/data (hours)
	@test -d "$(DATA)" || { echo "name the folder of rows: make train-all DATA=../shared/data" >&2; exit 2; }
	@PYTHONPATH="$$PWD" $(TRAINING)/bin/python -m router_extproc.training.task_layers.ship --data "$(DATA)" --work $(WORK)/trunk
	@$(BIN)/python -m router_extproc.training.indirect.ship --data "$(DATA)" --work $(WORK)/indirect
	@PYTHONPATH="$$PWD" $(TRAINING)/bin/python -m router_extproc.training.verifier.ship \
	  --data "$(DATA)" --work $(WORK)/verifier --questions tests/samples/questions/pairs.jsonl
	@$(BIN)/router-extproc models build --force

# ── generated files ──────────────────────────────────────────────────────────────────────────

proto: setup ## Generate router_extproc/_pb from protos/
	@$(BIN)/python protos/generate.py

envoy: setup ## Render envoy/ from deploy/router.yaml
	@$(BIN)/router-extproc envoy --config deploy/router.yaml --out envoy

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header

lock: setup ## Pin all packages again, newest versions that fit
	@$(PIP) install --quiet uv
	@$(UV_COMPILE) --upgrade --extra dev pyproject.toml deploy/build.in -o deploy/requirements.lock
	@$(UV_COMPILE) --upgrade -c deploy/requirements.lock pyproject.toml deploy/build.in -o deploy/runtime.lock
	@# What building the models needs beside it: the image has it only while it is made.
	@$(UV_COMPILE) --upgrade -c deploy/requirements.lock --extra build pyproject.toml deploy/build.in -o deploy/models.lock

clean: ## Remove what make made: .venv, .cache, .run and caches
	@rm -rf $(VENV) .cache .run .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
