# Everything a person types. Set-up happens by itself: the packages are installed when a command first needs them, and
# again when their list has changed.
#
#   PYTHON    the Python to make .venv with (3.11 or later); by default the first one found
#   PORT      where `make run` serves the pages (8000)
#   DATA_DIR  where `make run` keeps its data (./data)
#   VENV      where the packages are installed (.venv); give each Python one of its own

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && exit; done; echo python3)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
USABLE_VENV := import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)
VENV ?= .venv
IN_VENV := $(VENV)/bin/python

.PHONY: help run command test test-fast check bench bench-full lock clean

help:
	@echo "make run     set up and start the demo; Ctrl-C stops it"
	@echo "make test    set up and run every test; make test-fast those that need no server"
	@echo "make check   format, lint, types, architecture, templates"
	@echo "make bench   measure, for some minutes; make bench-full for longer"
	@echo "make lock    write requirements*.txt anew from pyproject.toml (needs uv)"
	@echo "make clean   remove the set-up and the caches, not the data"

run: $(VENV)/.run-ready command
	@exec $(IN_VENV) -m webapp.demo

# The command `alertcheck` for the code in this folder: what an editable install would make, without a build backend.
command: | $(VENV)/.made
	@ln -sfn "$(CURDIR)" $(VENV)/project
	@printf '%s\n' "$$COMMAND" >$(VENV)/bin/alertcheck && chmod +x $(VENV)/bin/alertcheck

define COMMAND
#!/bin/sh
here=$$(cd "$$(dirname "$$0")" && pwd)
PYTHONSAFEPATH=1 PYTHONPATH=$$here/../project exec "$$here/python" -m webapp "$$@"
endef
export COMMAND

test: $(VENV)/.test-ready
	@$(IN_VENV) -m pytest -n auto

test-fast: $(VENV)/.test-ready
	@$(IN_VENV) -m pytest -n auto -m fast

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

# A stamp is set last, so an install that was interrupted is done again.

$(VENV)/.run-ready: requirements-demo.txt | $(VENV)/.made
	@$(call install,requirements-demo.txt)
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt | $(VENV)/.made
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.run-ready $@  # the longer list holds the shorter one

# A .venv that works is kept, whoever made it. pip comes later: some systems have venv without ensurepip.
$(VENV)/.made:
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "Alertcheck needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
		echo "Install one, or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(IN_VENV) -c '$(USABLE_VENV)' 2>/dev/null || { \
		echo "Making $(VENV) with $$($(PYTHON) --version)"; rm -rf $(VENV); \
		if command -v uv >/dev/null; then uv venv --quiet --no-python-downloads --python "$(PYTHON)" $(VENV); \
		else $(PYTHON) -m venv --without-pip $(VENV); fi; }
	@touch $@

# One dot for each package, because pip's own words fill the screen. The errors of pip go past the dots.
define install
	if command -v uv >/dev/null; then \
		echo "Installing the packages of $(1) with uv"; \
		uv pip install --quiet --python $(IN_VENV) --require-hashes -r $(1); \
	else \
		printf '%s' "Installing the packages of $(1) with pip "; \
		$(IN_VENV) -m pip --version >/dev/null 2>&1 || $(IN_VENV) -m ensurepip >/dev/null 2>&1; \
		if $(IN_VENV) -m pip --version >/dev/null 2>&1; then pip="$(IN_VENV) -m pip"; \
		elif $(PYTHON) -m pip --version >/dev/null 2>&1; then pip="$(PYTHON) -m pip --python $(IN_VENV)"; \
		else echo; echo "There is neither uv nor pip. On Debian: apt-get install python3-venv"; exit 1; fi; \
		{ $$pip install --disable-pip-version-check --require-hashes -r $(1) && echo Done; } | { \
			while read -r word rest; do case "$$word" in \
				Collecting) printf .;; Installing) printf ' unpacking';; Done) echo ' done'; exit 0;; \
			esac; done; echo; exit 1; }; \
	fi
endef
