# Twinshop. `make run` answers the first question; `make test` proves the program. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Three test processes on two cores: the tests of clusters mostly wait. A file's tests stay together, so that a cluster or
# a run that they share is made once.
TEST_PROCESSES ?= 3

.PHONY: help install run workshop matrix rehearse docs test test-long bench lint lock clean

help:
	@echo "make run        who gets logged out when a node dies? (installs what it needs first)"
	@echo "make workshop   two shops side by side in a browser: predict, break something, see (ends with Ctrl-C)"
	@echo "make matrix     every scenario on every architecture: predicted beside measured (about 40 minutes)"
	@echo "make rehearse   the whole lesson without a person: does every promise of its texts hold? (about 4 minutes)"
	@echo "make test       lint, types, import contracts and all quick tests"
	@echo "make test-long  calibration runs and kill storms (about an hour)"
	@echo "make bench      the figures of docs/reference/benchmarks.md, measured here and now"
	@echo "make docs       write the pages that are made from the registries"
	@echo "make install    everything into $(VENV), so that $(BIN)/twinshop works"

$(VENV)/.venv-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "twinshop needs Python 3.11 or newer, this is %s; try: make PYTHON=python3.12 run" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.venv-made requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed $(VENV)/.installed-dev

run: $(VENV)/.installed
	$(BIN)/twinshop run node-kill

workshop: $(VENV)/.installed
	$(BIN)/twinshop workshop

matrix: $(VENV)/.installed
	$(BIN)/twinshop matrix

rehearse: $(VENV)/.installed
	$(BIN)/twinshop rehearse

docs: $(VENV)/.installed
	$(BIN)/python -m loadtests.reference

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile

test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long --timeout 5400

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.load
	$(BIN)/python -m tests.bench.stores
	$(BIN)/python -m tests.bench.overhead
	$(BIN)/python -m tests.bench.scale

# Resolve the dependencies anew, for every platform; the hashes make the lock files complete by themselves.
lock: $(VENV)/.venv-made
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra build pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra build --extra dev --constraint requirements.lock pyproject.toml \
	  --output-file requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --constraint requirements.lock compose/requirements-node.in \
	  --output-file compose/requirements-node.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
