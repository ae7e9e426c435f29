# Twinshop. `make run` answers the first question; `make test` proves the program. Both set up what they need.

# Where it is set (in many images it is), each of the processes that a run or the tests start would compile all that it
# imports anew: a node starts in 1.0 s of processor time with it, and in 0.5 s without.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# uv installs in seconds what takes pip a minute, from the same lock files. `make run UV=` does without.
UV ?= $(or $(shell command -v uv),$(BIN)/uv)
# By pip where there is no uv, or it cannot (pip may know of an index that uv does not). Both check every hash. Without
# compiling, for most of it is never imported.
INSTALL = { command -v "$(UV)" >/dev/null && $(UV) pip install --quiet --python $(BIN)/python $(1); } || \
  { echo "… by pip, which takes a while."; $(PIP) --no-compile $(1); }

# For two cores: a test with a cluster or a browser waits for more than half of its time, one process begins with
# Docker's, which wait most, and goes on with those that reckon (tests/turns.py). A file's tests stay together, so that a
# cluster or a run that they share is made once. On a machine that does other things, too: `make test TEST_PROCESSES=2`.
TEST_PROCESSES ?= 4

.PHONY: help install run workshop matrix rehearse examples docs test test-long bench lint style lock clean

help:
	@echo "make run        who gets logged out when a node dies? (installs what it needs first)"
	@echo "make workshop   two shops side by side in a browser: predict, break something, see (ends with Ctrl-C)"
	@echo "make matrix     every scenario on every architecture: predicted beside measured (80 minutes on two processors; by twos, 48)"
	@echo "make rehearse   the whole lesson without a person: does every promise of its texts hold? (about 4 minutes)"
	@echo "make examples   other people's frameworks, calm and broken: who is logged out? (about ten minutes)"
	@echo "make test       lint, types, import contracts and all quick tests"
	@echo "make test-long  calibration runs and kill storms (about an hour)"
	@echo "make bench      the figures of docs/reference/benchmarks.md, measured here and now"
	@echo "make docs       write the pages that are made from the registries"
	@echo "make install    everything into $(VENV), so that $(BIN)/twinshop works"

$(VENV)/.venv-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "twinshop needs Python 3.11 or newer, this is %s; try: make PYTHON=python3.12 run" % sys.version.split()[0])'
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# uv comes by pip, at the version and the hashes that the lock file has; where it is not to be had, pip does all of it.
$(VENV)/.uv-asked: $(VENV)/.venv-made
	@if [ "$(UV)" = "$(BIN)/uv" ]; then echo "Getting uv, which installs the rest in seconds …"; \
	  sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > $(VENV)/uv.txt; \
	  $(PIP) --require-hashes -r $(VENV)/uv.txt || echo "… it is not to be had."; fi
	@touch $@

$(VENV)/.installed: $(VENV)/.uv-asked requirements.lock pyproject.toml
	@echo "Installing what a run needs into $(VENV) …"
	@$(call INSTALL,--require-hashes -r requirements.lock)
	@$(call INSTALL,--no-deps --no-build-isolation -e .)
	@touch $@

$(VENV)/.installed-statistics: $(VENV)/.installed requirements-statistics.lock
	@echo "Installing SciPy …"
	@$(call INSTALL,--require-hashes -r requirements-statistics.lock)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-statistics requirements-dev.lock
	@echo "Installing what the tests need …"
	@$(call INSTALL,--require-hashes -r requirements-dev.lock)
	@touch $@

install: $(VENV)/.installed-dev

run: $(VENV)/.installed
	$(BIN)/twinshop run node-kill

workshop: $(VENV)/.installed
	$(BIN)/twinshop workshop

matrix: $(VENV)/.installed-statistics
	$(BIN)/twinshop matrix

rehearse: $(VENV)/.installed
	$(BIN)/twinshop rehearse

# Whose runtime is not there (php-cli and php-redis, node and npm, a JDK and libtomcat10-java) is called "not run".
EXAMPLES ?= flask-login django express php tomcat
examples: $(VENV)/.installed-dev
	@command -v npm >/dev/null && [ ! -d docs/examples/apps/express/node_modules ] && \
	  (cd docs/examples/apps/express && npm ci --silent --no-audit --no-fund) || true
	$(BIN)/twinshop app table $(EXAMPLES:%=docs/examples/apps/%/app.toml) --shoppers 20

docs: $(VENV)/.installed
	$(BIN)/python -m loadtests.reference

lint: style
	$(BIN)/lint-imports
	$(BIN)/mypy

style: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Contracts and types are looked at beside the tests, which mostly wait for processes, and give way to them; what they
# say stands below theirs.
test: style
	@(nice $(BIN)/lint-imports && exec nice $(BIN)/mypy) >$(VENV)/types.txt 2>&1 & types=$$!; trap "kill $$types" INT TERM; \
	echo '$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile'; \
	$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile; tests=$$?; \
	wait $$types; types=$$?; echo '$(BIN)/lint-imports && $(BIN)/mypy'; cat $(VENV)/types.txt; exit $$((tests || types))

test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long --timeout 5400

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.load
	$(BIN)/python -m tests.bench.stores
	$(BIN)/python -m tests.bench.overhead
	$(BIN)/python -m tests.bench.scale

# Resolve the dependencies anew, for every platform; the hashes make the lock files complete by themselves.
COMPILE = $(or $(UV),$(BIN)/uv) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
  --python-version 3.11
lock: $(VENV)/.uv-asked
	$(COMPILE) --extra build pyproject.toml --output-file requirements.lock
	$(COMPILE) --extra build --extra statistics --extra balancers --extra dev --constraint requirements.lock pyproject.toml \
	  --output-file requirements-dev.lock
	sed -n 's/^statistics = \["\(.*\)"\]/\1/p' pyproject.toml | \
	  $(COMPILE) --constraint requirements-dev.lock - --output-file requirements-statistics.lock
	$(COMPILE) --constraint requirements.lock compose/requirements-node.in --output-file compose/requirements-node.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
