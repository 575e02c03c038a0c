# The commands for developers. Each one first installs the packages it needs, if they are missing or their list has
# changed.
#
#   PYTHON    the Python that creates .venv (3.11 or later); by default the first one found
#   PORT      the port on which `make run` serves the pages (8000)
#   DATA_DIR  the directory in which `make run` keeps its data (./data)
#   VENV      the directory for the packages (.venv); use a separate one for each Python
#   TESTS     the tests that `make test` runs (all), such as tests/views

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && exit; done; echo python3)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
USABLE_VENV := import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)
VENV ?= .venv
IN_VENV := $(VENV)/bin/python

.PHONY: help run command test test-fast coverage check bench bench-full lock clean

help:
	@echo "make run     install what is needed and start the demo; Ctrl-C stops it"
	@echo "make test    install what is needed and run all tests; make test-fast runs those that need no server"
	@echo "make coverage  run all tests and print the branch coverage; takes half as long again"
	@echo "make check   check format, lint, types, architecture and templates"
	@echo "make bench   run the benchmarks for a few minutes; make bench-full runs longer ones"
	@echo "make lock    regenerate requirements*.txt from pyproject.toml (needs uv)"
	@echo "make clean   remove the installed packages and the caches, but not the data"

run: $(VENV)/.run-ready command
	@exec $(IN_VENV) -m webapp.demo

# Creates the command `alertcheck` for the code in this folder, as an editable install would, without a build backend.
command: | $(VENV)/.made
	@ln -sfn "$(CURDIR)" $(VENV)/project
	@printf '%s\n' "$$COMMAND" >$(VENV)/bin/alertcheck && chmod +x $(VENV)/bin/alertcheck

define COMMAND
#!/bin/sh
here=$$(cd "$$(dirname "$$0")" && pwd)
PYTHONSAFEPATH=1 PYTHONPATH=$$here/../project exec "$$here/python" -m webapp "$$@"
endef
export COMMAND

# Tests start hundreds of Pythons. Each one would compile all modules again if it were not allowed to keep the result.
PYTEST := PYTHONDONTWRITEBYTECODE= $(IN_VENV) -m pytest

test: $(VENV)/.test-ready
	@$(PYTEST) -n auto $(TESTS)

test-fast: $(VENV)/.test-ready
	@$(PYTEST) -n auto -m fast

coverage: $(VENV)/.test-ready
	@$(PYTEST) -n auto --cov=webapp --cov-branch --cov-report=term:skip-covered

check: $(VENV)/.test-ready
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m mypy --strict webapp wsgi.py tests benchmarks
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(IN_VENV) -m djlint --lint --quiet templates

bench: $(VENV)/.test-ready
	@$(IN_VENV) -m benchmarks

bench-full: $(VENV)/.test-ready
	@$(IN_VENV) -m benchmarks --full

COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra demo --output-file requirements-demo.txt
	$(COMPILE) --extra demo --extra dev --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is written last, so an interrupted installation is repeated.

$(VENV)/.run-ready: requirements-demo.txt | $(VENV)/.made
	@$(call install,requirements-demo.txt)
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt | $(VENV)/.made
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.run-ready $@  # this list includes the other one

# A working .venv is kept, whatever created it. pip is added later: some systems have venv without ensurepip.
$(VENV)/.made:
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "Alertcheck needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
		echo "Install it, or give its path: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(IN_VENV) -c '$(USABLE_VENV)' 2>/dev/null || { \
		echo "Creating $(VENV) with $$($(PYTHON) --version)"; rm -rf $(VENV); \
		if command -v uv >/dev/null; then uv venv --quiet --no-python-downloads --python "$(PYTHON)" $(VENV); \
		else $(PYTHON) -m venv --without-pip $(VENV); fi; }
	@touch $@

# Prints one dot for each package, because pip's output fills the screen. Errors of pip are still printed.
define install
	if command -v uv >/dev/null; then \
		echo "Installing the packages in $(1) with uv"; \
		uv pip install --quiet --compile-bytecode --python $(IN_VENV) --require-hashes -r $(1); \
	else \
		printf '%s' "Installing the packages in $(1) with pip "; \
		$(IN_VENV) -m pip --version >/dev/null 2>&1 || $(IN_VENV) -m ensurepip >/dev/null 2>&1; \
		if $(IN_VENV) -m pip --version >/dev/null 2>&1; then pip="$(IN_VENV) -m pip"; \
		elif $(PYTHON) -m pip --version >/dev/null 2>&1; then pip="$(PYTHON) -m pip --python $(IN_VENV)"; \
		else echo; echo "Neither uv nor pip was found. On Debian: apt-get install python3-venv"; exit 1; fi; \
		{ $$pip install --disable-pip-version-check --require-hashes -r $(1) && echo Done; } | { \
			while read -r word rest; do case "$$word" in \
				Collecting) printf .;; Installing) printf ' unpacking';; Done) echo ' done'; exit 0;; \
			esac; done; echo; exit 1; }; \
	fi
endef
