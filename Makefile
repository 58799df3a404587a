# Two commands are the contract with a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo demo-data screenshots serve test lint setup setup-dev schema bench-gpu lock clean

demo: setup
	@$(BIN)/kame-voice demo

# About forty calls placed in real time (four minutes), for the web application to show.
demo-data: setup
	@$(BIN)/kame-voice demo-data

# Pictures for README and docs, from those calls; needs Chromium.
screenshots: setup-dev
	@test -e data/kame.db || $(BIN)/kame-voice demo-data
	@$(BIN)/python scripts/screenshots.py

serve: setup
	@$(BIN)/kame-voice serve

test: setup-dev lint
	@$(BIN)/python -m pytest -n 2

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: $(VENV)/.base
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kame_voice needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing into $(VENV) (pinned in requirements/base.txt) ..."
	@$(PIP) -r requirements/base.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/gpu.txt scripts/install_gpu_extra.py scripts/install_browser.py $(VENV)/.base
	@echo "Installing the test tools (pinned in requirements/dev.txt) ..."
	@$(PIP) -r requirements/dev.txt
	@$(BIN)/python scripts/install_gpu_extra.py
	@$(BIN)/python scripts/install_browser.py
	@touch $@

# On a machine with a GPU and `pip install 'kame-voice[gpu]'`: one call, under 8 minutes.
bench-gpu:
	@$(BIN)/kame-voice engine bench --config 7b --device cuda --variants --seconds 10 \
		--json bench-gpu.json --markdown bench-gpu.md

schema: setup
	@$(BIN)/kame-voice flows schema > flows/flow.schema.json

# Needs uv; run after a change of dependencies in pyproject.toml.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 -c requirements/constraints.txt \
		--no-emit-index-url --no-header --no-annotate -q -o requirements/base.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 -c requirements/constraints.txt \
		--no-emit-index-url --no-header --no-annotate -q -o requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
