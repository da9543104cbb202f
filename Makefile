# Two commands for everybody: `make demo` and `make test`. Both make .venv where there is none.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= runs

.PHONY: demo test slow benchmark lint

demo: $(VENV)/.core
	$(BIN)/relocbench run quickstart --size mini --out $(OUT)/quickstart-mini

test: $(VENV)/.dev
	$(BIN)/python -m pytest

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

benchmark: $(VENV)/.dev
	$(BIN)/python -m pytest tests/benchmarks -o addopts=--import-mode=importlib --benchmark-only

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	rm -rf build && $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target build/installed .
	cd build/installed && $(abspath $(BIN))/mypy --package relocbench --config-file $(CURDIR)/pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable . --constraint constraints.txt
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev,learned,public-models]' --constraint constraints.txt
	touch $@ $(VENV)/.core
