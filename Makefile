# Runyard's everyday commands; `make` lists them.

.DEFAULT_GOAL := help
.PHONY: help install run demo test test-fast test-long lint format lock bench migrate clean

# The interpreter that .venv is made with: the first of these that will do, unless you name one.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$name" && exit; done; echo python3)
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
SOURCES := api tasks workers adapters domain models bench tests settings.py celery_config.py wsgi.py
# The lock names packages and hashes, never the place they came from.
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make lock"

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(RUNTIME) ## Install what Runyard runs with, into .venv

run: $(RUNTIME) ## Start everything on this machine; Ctrl-C ends it
	@$(PY) -m workers.stack

demo: $(RUNTIME) ## Walk through one experiment, on the running stack or one of its own
	@$(PY) -m demo

test: $(DEV) ## Run all tests but the campaigns, with coverage
	$(PY) -m pytest --cov

test-fast: $(DEV) ## Run the tests that take no processes
	$(PY) -m pytest -m "not slow and not long"

test-long: $(DEV) ## Run the campaigns too: chaos, soak, more MLflow versions
	$(PY) -m pytest -m ""

lint: $(DEV) ## Check style, types and the layers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(DEV) ## Put the code into our format
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

lock: $(RUNTIME) ## Lock the newest versions of what requirements*.in want
	$(COMPILE) --upgrade requirements.in --output-file requirements.txt
	$(COMPILE) --upgrade requirements-dev.in --output-file requirements-dev.txt

bench: $(DEV) ## Say what can be measured, and how
	$(PY) -m bench

migrate: $(RUNTIME) ## Bring the database of the running stack to the newest revision
	@$(PY) -m workers.stack.env $(PY) -m flask --app wsgi:manage db upgrade

clean: ## Remove what tools left behind; data and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# uv itself comes by pip, at the version and with the hashes of the lock.
$(UV):
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON). \
	Install Python 3.11 to 3.13, or name one: make PYTHON=/path/to/python install"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	echo "Runyard needs Python 3.11 to 3.13 and $(PYTHON) is \
	$$($(PYTHON) -c 'import platform; print(platform.python_version())'). \
	Name another: make PYTHON=python3.12 install"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python came without venv and \
	ensurepip. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	@sed -n '/^uv==/,/# via/p' requirements.txt > $(VENV)/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt

# Bytecode is compiled now, so that the first start need not.
$(RUNTIME): requirements.txt | $(UV)
	@$(UV) pip install --quiet --python $(PY) --compile-bytecode --require-hashes -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@$(UV) pip install --quiet --python $(PY) --compile-bytecode --require-hashes \
	-r requirements.txt -r requirements-dev.txt
	@touch $@
