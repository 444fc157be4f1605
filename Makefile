# Two commands matter: `make demo` and `make test`. Nothing else needs to be prepared: each sets up what it uses.
# The environment is the standard library's venv, filled from the lock files with hashes; stamps say what is in it.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/.demo-ready
DEV_READY := $(VENV)/.dev-ready
# Twice quiet: errors only. Progress is told in plain words by the rules below.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
# The project itself: built by the pinned hatchling in the environment, without asking any registry.
PROJECT := --no-deps --no-build-isolation --editable .

# Tests on two cores; those of one file stay in one process, for they share servers. Their order is shuffled, by default
# always alike, so that what passed here passes there; `make test ORDER=random` draws another one.
ORDER := 20261123
SPREAD := --numprocesses 2 --dist loadfile --randomly-seed=$(if $(filter random,$(ORDER)),default,$(ORDER))
# Scratch files of tests lie in memory where there is room (4 GB): most of their time went into waiting for a disk.
ROOM := $(shell df --output=avail --block-size=1M /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4096 { print "/dev/shm" }')
SCRATCH := $(if $(ROOM),TMPDIR=$(ROOM))

.PHONY: demo test serve check docs lock bench soak clean chroot-test help
.NOTPARALLEL:

help:
	@echo "make demo         do the main job on real input and explain it (sets everything up first)"
	@echo "make test         all checks and all tests"
	@echo "make serve        the same system, staying up: API, portal, trust page"
	@echo "make check        the fast part of 'make test': style, types, layers, budgets, unit tests"
	@echo "make docs         write the reference and the index of docs/ again from the code"
	@echo "make lock         write the lock files again from pyproject.toml ('make lock UPGRADE=yes' for newer releases)"
	@echo "make bench        benchmarks against peers"
	@echo "make soak         kill -9 at 500 random moments each of work on the key tree, of backups and of the audit log"
	@echo "make chroot-test  prove that 'make demo' works on an empty Debian (needs root)"
	@echo "make clean        remove the environment and everything generated"

demo: $(DEMO_READY)
	@$(BIN)/troth demo

serve: $(DEMO_READY)
	@$(BIN)/troth serve

test: static
	@scripts/system-packages test
	@scripts/npm-packages
	@scripts/identity-providers
	@echo "test: all tests but those of the tree, which have run"
	@$(SCRATCH) $(BIN)/python -m pytest $(SPREAD) --postgres --ignore=tests/browser --ignore=tests/architecture
	@echo "test: whole installations on PostgreSQL, under row-level security"
	@$(SCRATCH) $(BIN)/python -m pytest $(SPREAD) --house-on-postgres tests/attacks/test_every_operation.py tests/attacks/test_across_tenants.py \
		tests/flows/test_governed.py tests/flows/test_rights.py tests/flows/test_officers.py -k 'not tell_of_the_inside and not made_up_tokens'
	@echo "test: the portal in a browser (on its own: its event loop stays in the process)"
	@$(SCRATCH) $(BIN)/python -m pytest $(SPREAD) tests/browser

check: static
	@echo "check: unit tests"
	@$(SCRATCH) $(BIN)/python -m pytest $(SPREAD) --quiet tests/unit

.PHONY: static
static: $(DEV_READY)
	@echo "check: style (ruff)"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@echo "check: types (mypy --strict)"
	@$(BIN)/mypy --no-error-summary
	@echo "check: layers (import-linter)"
	@$(BIN)/lint-imports --no-logo
	@echo "check: budgets, names, locks, documents"
	@$(SCRATCH) $(BIN)/python -m pytest $(SPREAD) --quiet tests/architecture

bench: $(DEV_READY)
	@$(PIP) --require-hashes --requirement requirements-bench.lock
	@for file in $$(grep -l '__main__' bench/*.py); do echo "bench: $$file"; PYTHONPATH=tests $(BIN)/python $$file || exit 1; done

# Rounds of kill -9 at random moments: 500 here, 60 in 'make test'.
SOAK_ROUNDS := 500

soak: $(DEV_READY)
	@TROTH_TEST_CRASH_ROUNDS=$(SOAK_ROUNDS) $(BIN)/python -m pytest --quiet tests/faults/test_key_tree_crash.py \
		tests/faults/test_backup.py tests/faults/test_audit_crash.py -k 'kill_9 or killed or failing_disks'

docs: $(DEV_READY)
	@$(BIN)/python scripts/reference.py

lock:
	@scripts/lock $(if $(UPGRADE),upgrade)

chroot-test:
	@scripts/chroot-test

clean:
	rm -rf .venv .venv-lock build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

$(BIN)/python: scripts/create-venv scripts/find-python scripts/system-packages
	@scripts/create-venv $(VENV)
	@touch $@

$(DEMO_READY): requirements-demo.lock pyproject.toml | $(BIN)/python
	@echo "setup: installing what the lock pins (1 to 2 minutes the first time)"
	@$(PIP) --only-binary :all: --require-hashes --requirement requirements-demo.lock
	@$(PIP) $(PROJECT)
	@touch $@

$(DEV_READY): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "setup: installing what the lock pins, with the tools that check the tree (1 to 3 minutes the first time)"
	@$(PIP) --only-binary :all: --require-hashes --requirement requirements-dev.lock
	@$(PIP) $(PROJECT)
	@touch $@ $(DEMO_READY)
