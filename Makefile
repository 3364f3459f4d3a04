# `make` alone lists what there is. Everything runs in .venv, which `make install` makes from requirements.lock: all that a machine needs is
# Python 3.11, 3.12 or 3.13 (with its venv module) and make. Another Python than the first one found: make PYTHON=python3.12
SHELL := /bin/sh
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet
UV := $(BIN)/uv pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test check format docs bench lock clean

help: ## list what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

install: .venv/installed ## make .venv, with the exact packages of requirements.lock (the others do it when needed)
ifneq ($(origin PYTHON),file)
	@test "`$(PYTHON) -V`" = "`$(BIN)/python -V`" || { echo ".venv has `$(BIN)/python -V`, not `$(PYTHON) -V`. First: make clean" >&2; exit 1; }
endif

demo: install ## the whole way once, on this machine: broker, records in, a question answered, a snapshot, a dead letter
	@$(BIN)/python -m api.demo

test: install ## all tests: those without a broker on every core, then those with a real one
	$(BIN)/python -m pytest -q --durations=10 --durations-min=1 -m "not kafka" -n auto --dist worksteal
	$(BIN)/python -m pytest -q --durations=10 --durations-min=1 -m kafka

check: install ## format, lint, types, layers, spelling, printed pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m docs --check

format: install ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## print the pages in docs/ that come from the code
	$(BIN)/python -m docs

bench: install ## list the benchmarks
	@$(BIN)/python -m bench

lock: install ## choose the newest packages that pyproject.toml allows and write requirements.lock
	$(UV) compile --quiet --upgrade --universal --python-version 3.11 --group dev --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## remove .venv and all that the tools left
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Every file is checked against its hash and none is built from source, so nothing but the lock file decides what runs here.
# uv does it in seconds; where it can't (a mirror or certificates that only pip knows of), pip does the same in a minute or two.
.venv/locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "Tidegate needs Python 3.11, 3.12 or 3.13, and none is on the PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(FITS)' || { echo "Tidegate needs Python 3.11, 3.12 or 3.13; $(PYTHON) is `$(PYTHON) -V 2>&1`. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "installing the packages of requirements.lock into .venv"
	@sed -n '/^uv==/,/^ *#/p' requirements.lock > .venv/uv.lock
	@$(PIP) --require-hashes --only-binary :all: -r .venv/uv.lock
	@$(UV) sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes --no-build requirements.lock \
		|| $(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@touch $@
