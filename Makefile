# Needs Python >= 3.10 with venv, and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-avx2 test-slow lint format docs clean

help:
	@echo 'make demo   a teacher, a student with few labels, and the same student taught, on generated data'
	@echo 'make test   run the test suite'
	@echo 'make test-avx2  run its kernels, layers and backbones as on an x86-64 processor without AVX-512'
	@echo 'make test-slow  the slow tests: train every cell of every table, compile and export every backbone, run the benchmarks'
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
	@# OpenCV's usual build needs libraries of a desktop, which servers and containers lack
	@$(BIN)/python -c 'import cv2' 2>/dev/null || $(PIP) --force-reinstall --no-deps opencv-python-headless
	@touch $@

demo: $(STAMP)
	$(BIN)/python tools/demo.py

# One thread per process: two processes share the cores. Tests that share an expensive fixture name an xdist_group.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

# oneDNN, torch and numba held to AVX2. numba's cache knows nothing of these variables, so it gets a folder of its own.
# The GPU kernels are left out: their interpreter computes with NumPy.
AVX2 := ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2 \
        NUMBA_CACHE_DIR=$(CURDIR)/$(VENV)/numba-avx2

test-avx2: $(STAMP)
	$(AVX2) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup --ignore tests/test_ops/test_gpu \
	    tests/test_ops tests/test_layers tests/test_backbones $(ARGS)

# Every cell of every table is trained with a few random clouds; every backbone is compiled and exported; benchmarks run on tiny inputs.
test-slow: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m slow tests/test_tables.py tests/test_backbones/test_graphs.py \
	    tests/test_benchmarks.py tests/test_benchmarks_gpu.py $(ARGS)

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
