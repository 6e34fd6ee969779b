# `make help` lists the targets. Everything runs in .venv, which is built on first use.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

FUZZ_SECONDS ?= 60
SOAK_MINUTES ?= 30

.DEFAULT_GOAL := help

## help: this list
help:
	@awk '/^## / { name = $$2; sub(/:$$/, "", name); sub(/^## [a-z-]+: /, ""); printf "  make %-13s %s\n", name, $$0 }' $(MAKEFILE_LIST)

## run: start the bus on ws://127.0.0.1:8181/core (more flags: make run ARGS="--port 0")
run: $(VENV)/.installed
	$(BIN)/ovos-messagebus $(ARGS)

## monitor: watch the messages that pass (make monitor ARGS="--type 'speak*'")
monitor: $(VENV)/.installed
	$(BIN)/ovos-bus-monitor $(ARGS)

# Two for a core: a test waits for a process or a socket half of its time.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

## test: the test suite, on all cores (one file: make test ARGS=tests/test_docs.py)
test: $(VENV)/.installed
	$(BIN)/pytest --numprocesses $(WORKERS) $(ARGS)

## test-hostile: attack a daemon while witnesses watch that nothing is lost
test-hostile: $(VENV)/.installed
	$(BIN)/pytest -m hostile tests/hostile $(ARGS)

## fuzz: feed random bytes and texts to what reads them, FUZZ_SECONDS long (60)
fuzz: $(VENV)/.installed
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/pytest -m fuzz tests/fuzz --timeout 0 $(ARGS)

## soak: mixed load with random faults, SOAK_MINUTES long (30), SOAK_SEED=n to repeat one
soak: $(VENV)/.installed
	$(BIN)/python -m tests.hostile.soak --minutes $(SOAK_MINUTES) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

## test-compat: the tests against other releases of OVOS packages (installs them into .peers/)
test-compat: $(VENV)/.installed
	$(BIN)/pytest -m compat --timeout 300 $(ARGS)

## test-long: 10,000 connections of each client leave nothing behind (some minutes)
test-long: $(VENV)/.installed
	OVOS_BUS_TEST_RECONNECTS=10000 $(BIN)/pytest tests/client/test_faults.py -k leave_nothing_behind -rP $(ARGS)

## test-ovos: the real programs of OVOS, unmodified, on this bus (installs them into .peers/)
test-ovos: $(VENV)/.installed
	$(BIN)/pytest -m ovos $(ARGS)

## test-browser: web pages that try to use the bus, in Chromium (installs it as root on Debian)
test-browser: $(VENV)/.installed
	tests/browser/need-chromium
	$(BIN)/pytest -m browser --timeout 300 $(ARGS)

## style: lint and format check
style: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

## types: mypy --strict on the packages
types: $(VENV)/.installed
	$(BIN)/mypy

## check: style and types
check: style types

## format: put the code into its format
format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## bench: measure side by side with all peers, 15 minutes; writes the tables and plots of the docs
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.suite $(ARGS)

## bench-quick: does every measurement work? (without peers; make test runs it too)
bench-quick: $(VENV)/.installed
	$(BIN)/python -m benchmarks.suite --quick

## bench-pages: write the tables and plots anew, from the last `make bench`
bench-pages: $(VENV)/.bench
	$(BIN)/python -m benchmarks.suite --only

## bench-ovos: what a user of the assistant notices, with the real programs of OVOS
bench-ovos: $(VENV)/.installed
	$(BIN)/python -m benchmarks.ovos --peer

## docs: write docs/api.md anew, and check that every link and every example in the docs is alive
docs: $(VENV)/.installed
	$(BIN)/python docs/make_api.py
	$(BIN)/pytest tests/test_docs.py

## clean: remove what was built
clean:
	rm -rf $(VENV) .peers build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.installed: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.PHONY: help run monitor test test-hostile fuzz soak test-compat test-long test-ovos test-browser style \
	types check format bench bench-quick bench-pages bench-ovos docs clean
