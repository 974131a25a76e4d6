# Two commands do everything on a machine with Swift, a C++ compiler and Python:
#   make demo    builds, installs and runs skd quickstart, the main job on the embedded data
#   make test    Swift tests, Python tests on the installed package, notebooks, documentation,
#                lint and types
# To look at: make docs (build/site/index.html); make notebooks runs them and keeps their outputs.
# For a change of memory or threads there is also
#   make sanitize    the Swift tests under the address and the thread sanitizer, and 10,000 cycles of
#                    making and freeing every kind of object
# For a release (docs/how-to/packaging.md):
#   make wheel        the sdist and the wheels, in dist
#   make check-wheel  their contents, and the tests in clean environments without Swift
#
# PYTHON names another interpreter, SKD_MARCH another instruction set, or "all" levels of x86-64
# (docs/how-to/instruction-sets.md).

PYTHON ?= python3
MARCH_SUFFIX = $(if $(SKD_MARCH),-$(SKD_MARCH))
# Another interpreter or instruction set gets an environment and a build folder of its own.
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(subst /,_,$(PYTHON)))$(MARCH_SUFFIX)
BIN = $(VENV)/bin
SOURCES = Package.swift setup.py pyproject.toml $(wildcard recipes/*.toml) \
	$(shell find Sources python -name '*.swift' -o -name '*.cpp' -o -name '*.h' -o -name '*.py' \
		-o -name '*.pyi' -o -name '*.npz' -o -name '*.safetensors')

.PHONY: demo test test-swift test-python test-notebooks test-docs notebooks docs lint sanitize \
	sanitize-address sanitize-thread lifetimes install wheel check-wheel clean

demo: $(or $(wildcard $(VENV)/.installed),$(VENV)/.installed-demo)
	$(BIN)/skd quickstart --output runs/demo

test: lint test-docs test-swift test-python test-notebooks

ifeq ($(SKD_MARCH),all)
test-swift:
	for level in x86-64 x86-64-v3 x86-64-v4; do \
		$(MAKE) test-swift SKD_MARCH=$$level || exit; done

# Features that are hidden from the loader make it take the library of a lower level.
test-python: $(VENV)/.installed
	$(BIN)/python -m pytest
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F $(BIN)/python -m pytest
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2 $(BIN)/python -m pytest
else
test-swift:
	swift test --disable-swift-testing --scratch-path .build$(MARCH_SUFFIX)

test-python: $(VENV)/.installed
	$(BIN)/python -m pytest
endif

# Each runs in a copy, so that what is committed stays as it is.
test-notebooks: $(VENV)/.installed
	rm -rf build/notebooks && mkdir -p build && cp -r notebooks build/notebooks
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 build/notebooks

notebooks: $(VENV)/.installed
	$(BIN)/python python/tools/run_notebooks.py notebooks/*.ipynb

docs: $(VENV)/.installed
	PYTHONPATH=python/tools $(BIN)/python -m docs_site

# The site, opened page by page in a browser.
test-docs: docs
	$(BIN)/python -m pytest docs/tests

lint: $(VENV)/.installed
	swift format lint --strict --recursive Package.swift Sources Tests
	@! grep -rnE '\.add(ing)?Product\(' Sources/SKDKernels | grep -v /RelaxedProduct.swift || \
		{ echo "Use addingRelaxedProduct: without FMA these are calls of the C library." >&2; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python python/tools/check_prose.py

sanitize: sanitize-address sanitize-thread lifetimes

# XCTest never releases its test cases and what they hold: leaks are looked for where all calls of
# the C ABI are made without it.
sanitize-address:
	ASAN_OPTIONS=detect_leaks=0 swift test --disable-swift-testing --sanitize=address \
		--scratch-path .build-address
	ASAN_OPTIONS=detect_leaks=1 .build-address/debug/SKDABIFuzzer 1 10000 \
		> .build-address/fuzz.log || { tail -n 2 .build-address/fuzz.log; exit 1; }

sanitize-thread:
	swift test --disable-swift-testing --sanitize=thread --scratch-path .build-thread

lifetimes: $(VENV)/.installed
	$(BIN)/python python/tests/support/run_lifetimes.py 10000

install: $(VENV)/.installed

$(VENV)/.installed: $(SOURCES)
	@sh python/tools/environment.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --constraint $(VENV)/constraints.txt '.[demo,test,docs,browser,notebooks]'
	@touch $@

# The demo alone needs fewer packages.
$(VENV)/.installed-demo: $(SOURCES)
	@sh python/tools/environment.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --constraint $(VENV)/constraints.txt '.[demo]'
	@touch $@

wheel:
	$(PYTHON) python/tools/make_wheels.py

check-wheel:
	$(PYTHON) python/tools/check_wheels.py

clean:
	rm -rf .build .build-* build dist $(VENV) python/*.egg-info
