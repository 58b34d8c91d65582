# Every target sets up .venv from the locked versions first; only Python 3.11+, make and git are needed.
.DEFAULT_GOAL := help
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(if $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo ok),$(name))))
VENV := .venv
RUN := $(VENV)/bin/python -m
ARGS ?=
TEST_PROCESSES ?= 2

.PHONY: help setup differential properties faults scale test lint bench lock test-oldest clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.ready: requirements/lock.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found; install one, or run: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@touch $@

setup: $(VENV)/.ready ## Make .venv with the locked versions

differential: setup ## Compare every engine and variant: the real census and generated worlds (ARGS="--engine ...")
	$(RUN) pytest differential $(ARGS)

properties: setup ## Hold every engine to the invariants and relations of docs/checks.md (ARGS="--engine ...")
	$(RUN) pytest properties $(ARGS)

faults: setup ## Plant every fault of the catalogue and print which checks find it (ARGS="--fault X05")
	$(RUN) pytest properties --self-test $(ARGS)

scale: setup ## Measure time and memory over many sizes, and judge how they grow (ARGS="--quick")
	$(RUN) scale sweep $(ARGS)

test: setup ## Run all tests: the comparison, the properties, and the tests of the suite itself
	$(RUN) pytest fixtures differential properties scale --all -n $(TEST_PROCESSES) $(ARGS)

lint: setup ## Style, types, and the direction of imports
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports

bench: setup ## Measure the figures of docs/figures.md
	$(RUN) differential.bench $(ARGS)

lock: ## Rewrite requirements/*.txt from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --no-strip-extras -o requirements/lock.txt
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --no-strip-extras --resolution lowest-direct -o requirements/oldest.txt

.venv-oldest/.ready: requirements/oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/oldest.txt
	@touch $@

test-oldest: .venv-oldest/.ready ## Run all tests with the oldest versions allowed
	.venv-oldest/bin/python -m pytest fixtures differential properties scale --all -n $(TEST_PROCESSES) $(ARGS)

clean: ## Remove .venv and caches; repro bundles stay
	rm -rf $(VENV) .venv-oldest .pytest_cache .mypy_cache .ruff_cache
