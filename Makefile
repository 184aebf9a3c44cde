# Needs Python >= 3.10 with venv, and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs clean

help:
	@echo 'make demo   train PointCMT end to end on generated data (minutes) and print what came out'
	@echo 'make test   run the test suite'
	@echo 'make lint   check the style'
	@echo 'make format format the code'
	@echo 'make docs   build the documentation into docs/en/_build'
	@echo 'make clean  remove what these commands made'
	@echo 'PYTHON=python3.12 make ... chooses the interpreter'

$(STAMP): pyproject.toml constraints.txt $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 10) or sys.exit("Python >= 3.10 is needed, $(PYTHON) is %d.%d: set PYTHON=..." % v[:2])'
	$(PYTHON) -m venv $(VENV)
	@echo 'installing into $(VENV), this takes a few minutes the first time'
	$(PIP) --editable '.[tests]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python tools/demo.py

# One thread per process: two processes share the cores. Tests that share an expensive fixture name an xdist_group.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff format .

$(VENV)/.installed-docs: $(STAMP) requirements/docs.txt
	$(PIP) --editable '.[docs]'
	@touch $@

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs/en docs/en/_build

clean:
	rm -rf $(VENV) docs/en/_build work_dirs/demo .pytest_cache .ruff_cache
