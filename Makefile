# Two commands do everything on a machine with Swift, a C++ compiler and Python:
#   make demo    builds, installs and runs the main job on the embedded data
#   make test    Swift tests, Python tests on the installed package, lint and types
#
# PYTHON names another interpreter, SKD_MARCH another instruction set (see Package.swift).

PYTHON ?= python3
# Another interpreter gets an environment of its own.
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(subst /,_,$(PYTHON)))
BIN = $(VENV)/bin
SOURCES = Package.swift setup.py pyproject.toml \
	$(shell find Sources python -name '*.swift' -o -name '*.cpp' -o -name '*.h' -o -name '*.py' \
		-o -name '*.pyi' -o -name '*.npz')

.PHONY: demo test test-swift test-python lint install clean

demo: $(VENV)/.installed
	$(BIN)/python benchmarks/demo.py

test: lint test-swift test-python

test-swift:
	swift test --disable-swift-testing

test-python: $(VENV)/.installed
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	swift format lint --strict --recursive Package.swift Sources Tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/.installed

$(VENV)/.installed: $(SOURCES)
	@sh python/tools/environment.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --constraint $(VENV)/constraints.txt '.[demo,test]'
	@touch $@

clean:
	rm -rf .build build $(VENV) python/*.egg-info
