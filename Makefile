# The only commands: run, test, check, bench, serve. Each does its own set-up on a machine with Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto
LEADS ?=
SALES ?=

.DEFAULT_GOAL := help
.PHONY: help setup run serve test check bench bench-sync-peer lock browser clean simulate mutants

help:
	@echo "make run                    start the brokerage: server, app, demo data; opens the browser"
	@echo "make run LEADS=f.csv SALES=g.csv   the same with your own exports instead of the demo"
	@echo "make serve                  the server alone"
	@echo "make test                   all tests (needs Chromium; says so when it is missing); WORKERS=n, TMPDIR=folder"
	@echo "make check                  format, lint, types, import contracts, documentation"
	@echo "make bench                  the benchmarks, as ratios against a peer in the same run"
	@echo "make bench-sync-peer        sync beside PouchDB in the same run (needs Node.js; installs outside the tree)"
	@echo "make simulate SEEDS=10000   sync under every fault, by seed; FIRST=n to begin there, REAL=1 on PostgreSQL"
	@echo "make mutants                the faults planted in sync that the simulation must catch"
	@echo "make lock                   make requirements.lock anew from pyproject.toml"

setup: $(READY)

# .venv may be a link to another checkout's: then it is brought up to this one's lock, and never removed.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Jorge BI needs Python 3.11 or newer as '$(PYTHON)'. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo "Bringing $(VENV) up to requirements.lock ..."; \
	elif test -L $(VENV); then \
	  echo "$(VENV) is a link to $$(readlink $(VENV)), where no Python works. Remove the link; the next make makes a $(VENV) of its own."; exit 1; \
	else \
	  echo "Setting up $(VENV) (once; about a minute on a fresh machine) ..."; rm -rf $(VENV); \
	  $(PYTHON) -m venv $(VENV) || \
	    { echo "python3 -m venv failed. On Debian or Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }; \
	fi
	@awk '/^uv==/ {on=1; print; next} /^ / {if (on) print; next} {on=0}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(READY)

run: $(READY)
	@exec $(BIN)/python -m launch $(if $(LEADS),--leads "$(LEADS)") $(if $(SALES),--sales "$(SALES)")

serve: $(READY)
	@exec $(BIN)/python -m backend serve

browser:
	@command -v $${JORGE_CHROMIUM:-chromium} >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "The browser tests need Chromium, and $${JORGE_CHROMIUM:-none} was $${JORGE_CHROMIUM:+not }found."; \
	    echo "  Debian, Ubuntu: apt-get install chromium     Fedora: dnf install chromium     macOS: brew install chromium"; \
	    echo "  elsewhere:      set JORGE_CHROMIUM=/path/to/chromium"; exit 1; }

test: browser $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_architecture.py tests/test_docs.py

simulate: $(READY)
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),300) --first $(or $(FIRST),0) $(if $(REAL),--real)

mutants: $(READY)
	@$(BIN)/python -m tests.simulation.mutants

bench: $(READY)
	@for one in benchmarks/[a-z]*.py; do echo "== $$one"; $(BIN)/python -m benchmarks.$$(basename $$one .py) || exit 1; done

bench-sync-peer: $(READY)
	@$(BIN)/python -m benchmarks.sync --peer

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	  --extra speech-tiny --group server --group dev pyproject.toml -o requirements.lock

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
