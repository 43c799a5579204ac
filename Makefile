# Everything a person or CI calls. Each target sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
PYTEST := $(BIN)/pytest --dist=loadscope --no-loadscope-reorder
# Set, it has every process compile the sources anew, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

LOCKS  := dev infra lake training serving delivery

.PHONY: local down test check rehearse bench bench-serving lock format packages help
.DEFAULT_GOAL := help

help: ## these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

# The environment is as the lock says: synced again whenever the lock or the project's metadata is newer.
$(VENV)/.synced: requirements/dev.lock requirements/installer.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Drivetrain needs Python 3.11 or later: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/installer.lock
	@echo "installing the environment into $(VENV) (6 GB the first time, most of it torch)"
	@$(UV) pip sync --quiet --python $(BIN)/python requirements/dev.lock requirements/installer.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

local: $(VENV)/.synced ## the whole platform on this machine: deployed, trained, released, served
	@$(BIN)/drivetrain local up

down: $(VENV)/.synced ## end what `make local` left running
	@$(BIN)/drivetrain local down

check: $(VENV)/.synced ## the everyday part: lint, format, types, fast tests (under 2 minutes)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types unit

.PHONY: types unit
types: $(VENV)/.synced
	@$(BIN)/pyright --warnings

unit: $(VENV)/.synced
	@$(PYTEST) --numprocesses=auto -m "not slow"

# The slow ones wait for processes and containers two fifths of their time: one more of them than processors.
test: packages check ## every test (under 15 minutes)
	@$(PYTEST) --numprocesses=$$(( $$(nproc) + 1 )) -m slow

packages: $(VENV)/.synced ## what tests use and Python has not (a browser, Go tools, ONNX Runtime for browsers)
	@tests/install_packages

rehearse: packages $(VENV)/.synced ## the workflows from merge to production, with their log (act, no account)
	@SHOW_WORKFLOW_LOG=1 $(BIN)/pytest -q -s tests/workflows/test_first_merge.py

bench: $(VENV)/.synced ## the figures, measured on this machine
	@$(BIN)/python -m benchmarks

bench-serving: $(VENV)/.synced ## the server beside its peers: sets up an environment for each (1 GB)
	@$(BIN)/python -m benchmarks.serving $(ARGUMENTS)

format: $(VENV)/.synced ## put the sources in order
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# requirements/dev.lock decides every version; the images' locks take theirs from it.
lock: ## resolve the dependencies anew
	@for group in $(LOCKS); do \
	  constraint=$$([ $$group = dev ] || echo "--constraint requirements/dev.lock"); \
	  $(UV) pip compile --quiet --universal --generate-hashes --no-header --annotation-style line --python-version 3.11 \
	    --group pyproject.toml:$$group $$constraint --output-file requirements/$$group.lock || exit 1; \
	done
	@echo uv | $(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 - --output-file requirements/installer.lock
