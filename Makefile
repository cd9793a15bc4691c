# The doorbell. Every target does its own set-up; `make` alone prints the menu.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Compiled code is part of an installation: without it each start of a program compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

READY := .venv/.ready
BIN := .venv/bin
LOCK_VENV := build/lock-venv
SEED ?= 1
UPGRADE ?=

.PHONY: help demo stories test check bench world lock format clean lint

help: ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## the main job, with real processes: hub, two wards, a tablet, a cut line (DEMO_ONCE=1 ends by itself)
	$(BIN)/python -m tests.demo

stories: $(READY) ## the stories that must run, through real processes, with the line cut
	deploy/system-packages.sh faketime chromium
	$(BIN)/python -m pytest -n 2 tests/stories

test: $(READY) ## lint, types, contracts, and every test that starts no whole town, with coverage
	deploy/system-packages.sh faketime chromium
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --durations=20 --cov --cov-report=term

check: $(READY) ## before each commit, under a minute: lint, types, contracts, the quick tests
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/law tests/vector tests/architecture

lint: $(READY) ## lint, format, types, contracts, dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/deptry .

format: $(READY) ## put the code in its form, and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure against the budgets and the peers
	deploy/system-packages.sh --optional node npm
	$(BIN)/python -m benchmarks

world: $(READY) ## replay one simulated world: make world SEED=123
	$(BIN)/python -m tests.simulation --seed $(SEED)

lock: $(READY) ## write requirements.lock anew from pyproject.toml (UPGRADE=1 takes the newest versions)
	test -x $(LOCK_VENV)/bin/uv || { $(BIN)/python -m venv $(LOCK_VENV) && $(LOCK_VENV)/bin/python -m pip install --quiet uv; }
	$(LOCK_VENV)/bin/uv pip compile pyproject.toml --quiet --universal --all-extras --generate-hashes \
		--python-version 3.11 --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) --output-file requirements.lock

clean: ## remove everything that was made
	rm -rf .venv build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml deploy/python-environment.sh
	deploy/python-environment.sh
