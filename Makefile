# `make demo` shows it, `make test` proves it. Both make what they need in .venv.
.DELETE_ON_ERROR:
.PHONY: help demo test lint types architecture suites unit coverage unit-served unit-rooms unit-counted lowest newest-sdk search bench constraints docs dashboards clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := install --quiet --disable-pip-version-check
# Under CI a missing component is a failure; elsewhere its tests are left out, with a remedy.
CI ?=

help:
	@echo "make demo   an example API under opentelemetry-instrument, and what it told OpenTelemetry"
	@echo "make test   everything that CI runs"
	@echo "make lint types architecture unit lowest newest-sdk   the parts of it"
	@echo "make search new examples for the tests of properties, for some ten minutes"
	@echo "make bench  what a request costs, beside the SDK's floor and contrib"
	@echo "make constraints docs dashboards clean"

# $(1): folder of the environment, $(2): interpreter, $(3): constraints
define environment
	@$(2) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	    echo "otel-apimetrics needs Python 3.10 or newer as $(2). Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Making $(1) (once, about a minute)"
	@rm -rf $(1)
	@$(2) -m venv $(1) || { \
	    echo "$(2) -m venv failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(1)/bin/python -m pip $(INSTALL) --require-hashes --requirement $(3)
	@$(1)/bin/python -m pip $(INSTALL) --no-deps --editable .
	@touch $(1)/.made
endef

$(VENV)/.made: constraints/newest.txt pyproject.toml
	$(call environment,$(VENV),$(PYTHON),constraints/newest.txt)

# uWSGI is built here, where a C compiler is; its tests need it.
$(VENV)/.compiled: $(VENV)/.made constraints/compiled.txt
	@if command -v cc >/dev/null; then \
	    echo "Building uWSGI (once, about a minute)"; \
	    $(BIN)/python -m pip $(INSTALL) --require-hashes --requirement constraints/compiled.txt; \
	else echo "There is no C compiler: the tests on uWSGI are left out. On Debian and Ubuntu: apt-get install build-essential" >&2; fi
	@touch $@

.venv-lowest/.made: constraints/lowest.txt pyproject.toml
	$(call environment,.venv-lowest,$(shell .ci/python 3.10),constraints/lowest.txt)

.venv-newest-sdk/.made: constraints/newest-sdk.txt pyproject.toml
	$(call environment,.venv-newest-sdk,$(shell .ci/python 3.13),constraints/newest-sdk.txt)

# The vendors' own SDKs, beside which tests/parity compares our exporters.
.venv-vendors/.made: constraints/vendors.txt
	@echo "Installing the vendors' SDKs (once, about a minute)"
	@rm -rf .venv-vendors
	@$(PYTHON) -m venv .venv-vendors
	@.venv-vendors/bin/python -m pip $(INSTALL) --require-hashes --requirement $<
	@touch $@

demo: $(VENV)/.made
	@$(BIN)/python -m demo

test: lint types architecture suites
	@if [ -n "$$(.ci/python 3.10)" ] && [ -n "$$(.ci/python 3.13)" ]; then \
	    echo "All of it passed."; \
	else echo "Passed, but for what was left out above."; fi

lint: $(VENV)/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.made
	$(BIN)/mypy

architecture: $(VENV)/.made
	$(BIN)/lint-imports

# Two at once, the longest first: each says what it has to when it is done. What starts servers
# mostly waits for them.
SERVED := benchmarks collector e2e examples gateway grafana one_span parity servers suites
# What counts work and memory, which coverage would multiply.
COUNTED := bounds redaction/test_hostile.py
SUITES := unit-rooms unit-served lowest newest-sdk unit-counted
suites: $(VENV)/.made $(VENV)/.compiled .venv-vendors/.made
	$(BIN)/coverage erase
	@$(MAKE) --no-print-directory -j2 --output-sync=recurse $(SUITES)
	@$(MAKE) --no-print-directory coverage

# The suites of the newest versions alone.
unit: SUITES := unit-rooms unit-served unit-counted
unit: suites

coverage: $(VENV)/.made
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

unit-served: $(VENV)/.made $(VENV)/.compiled .venv-vendors/.made
	$(BIN)/coverage run -m pytest --quiet $(SERVED:%=tests/%)

unit-rooms: $(VENV)/.made
	$(BIN)/coverage run -m pytest --quiet $(patsubst %,--ignore=tests/%,$(SERVED) $(COUNTED))

unit-counted: $(VENV)/.made
	$(BIN)/python -m pytest --quiet $(COUNTED:%=tests/%)

# In-process tests on the oldest Python with the lowest versions that we promise. Those warn
# of what later versions of others have deprecated.
OLD := -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning \
	-W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning
# What starts servers needs them, and their clients.
IN_PROCESS := -m "not e2e" -p no:randomly \
	$(patsubst %,--ignore=tests/%,benchmarks collector e2e examples grafana parity servers suites)
lowest:
	@if [ -n "$$(.ci/python 3.10)" ]; then \
	    $(MAKE) --no-print-directory .venv-lowest/.made && \
	    .venv-lowest/bin/python -m pytest --quiet $(IN_PROCESS) $(OLD); \
	else $(call absent,Python 3.10,the lowest versions); fi

# In-process tests on a newer Python with the newest SDK, which contrib may not allow yet. What asks
# neither, but for the language, is tried on the oldest. A bare fork in C, which tests/test_forked.py
# makes, ends Python 3.13 itself where the parent has threads.
newest-sdk:
	@if [ -n "$$(.ci/python 3.13)" ]; then \
	    $(MAKE) --no-print-directory .venv-newest-sdk/.made && \
	    .venv-newest-sdk/bin/python -m pytest --quiet $(IN_PROCESS) \
	        --ignore=tests/redaction --ignore=tests/cli --ignore=tests/test_forked.py; \
	else $(call absent,Python 3.13,the newest SDK); fi

define absent
echo "Left out: tests on $(2), because there is no $(1). Install it (pyenv install, deadsnakes) and try again." >&2; \
[ -z "$(CI)" ]
endef

# Under CI the properties are tried with the same examples each time; here with new ones.
search: $(VENV)/.made
	EXAMPLES=search $(BIN)/python -m pytest --quiet -m hypothesis

bench: $(VENV)/.made
	$(BIN)/python -m benchmarks

docs: $(VENV)/.made
	$(BIN)/python -m otel_apimetrics.config.reference > docs/configuration.md

# Needs Python 3.11, as Grafana's foundation SDK does.
dashboards: $(VENV)/.made
	$(BIN)/python -m grafana

# Needs uv. Lists every dependency with its hashes, for Python 3.10 and newer.
COMPILE = uv pip compile --quiet --all-extras --generate-hashes --no-emit-index-url \
	--custom-compile-command "make constraints" --python-version 3.10 pyproject.toml
constraints:
	$(COMPILE) --upgrade --universal --group test --group contrib --group lint \
	    --group servers --group extensions --group suites --group grafana -o constraints/newest.txt
	uv pip compile --quiet --universal --no-deps --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make constraints" --python-version 3.10 \
	    --constraint constraints/newest.txt constraints/suites.in -o constraints/suites.txt
	$(COMPILE) --upgrade --universal --group test -o constraints/newest-sdk.txt
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make constraints" --python-version 3.10 \
	    --group pyproject.toml:compiled -o constraints/compiled.txt
	$(COMPILE) --upgrade --resolution lowest-direct --constraint constraints/lowest.in \
	    --group test --group contrib -o constraints/lowest.txt
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make constraints" --python-version 3.10 \
	    constraints/vendors.in -o constraints/vendors.txt

clean:
	rm -rf .venv .venv-lowest .venv-newest-sdk .venv-vendors .coverage .coverage.* .hypothesis .mypy_cache .ruff_cache .pytest_cache
