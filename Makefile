# Two commands on a fresh machine: `make demo` and `make test`. Everything they install lies in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# One torch for everyone's tests, inside the range that pyproject allows. Naming one version lets pip take a
# local CPU wheel where the machine offers one; a range would take the newest build with all of CUDA.
TORCH := 2.13.0

# The stamp carries pyproject's hash: a checkout that touches the file reinstalls only if it changed.
HASH  := $(shell $(PYTHON) -c "import hashlib,pathlib; print(hashlib.sha256(pathlib.Path('pyproject.toml').read_bytes()).hexdigest()[:16])")
STAMP := $(VENV)/.installed-$(HASH)

# Compiled kernels are kept between runs, outside the source tree.
export NUMBA_CACHE_DIR := $(CURDIR)/$(VENV)/cache/numba

# Threads that wait asleep: spinning ones steal the core they wait for, ten-fold on a busy machine.
export OMP_WAIT_POLICY := PASSIVE

ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs bench clean

help:    ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: $(STAMP)    ## the whole chain on a simulated head; open demo-output/report.html afterwards
	$(BIN)/gradatim demo demo-output $(ARGS)

test: $(STAMP)    ## every test that needs neither a GPU nor much time; ARGS="--slow" for those too
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)    ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## rewrite the files in the house's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)    ## rewrite the pages that are made from code
	$(BIN)/python docs/build_errors.py
	$(BIN)/python docs/build_stub.py
	$(BIN)/python docs/build_features.py

bench: $(STAMP)   ## side-by-side runs; see benchmarks/README.md
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" $(ARGS) || exit 1; done

clean:   ## remove the environment and all output
	rm -rf $(VENV) demo-output .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(STAMP): pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'gradatim needs Python 3.11 or newer: make PYTHON=python3.11')"
	@$(PYTHON) -c "import ensurepip" || { echo "this Python has no venv: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "torch==$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@rm -f $(VENV)/.installed-*
	@touch $@
