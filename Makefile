# make demo   trains on drawn faces and names its results
# make test   all quick tests      make test-all   the slow ones too
# make lint   style and types      make env        the environment alone
# make test-core-next   the core's quick tests on the newest TensorFlow, without TFX
ifneq ($(words $(abspath $(MAKEFILE_LIST))),1)
$(error make takes no folder with a space in its name, and this one has: $(abspath $(MAKEFILE_LIST)); move kfer to another)
endif
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
BIN := $(ROOT).venv/bin
DONE := $(ROOT).venv/installed
PYTHON ?= $(shell for p in python3.11 python3 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
  && command -v $$p && break; done)
UV := uv==0.13.9
# The core without TFX, in an environment of its own.
NEXT := $(ROOT).venv-next/bin
NEXT_DONE := $(ROOT).venv-next/installed
NEXT_PYTHON ?= $(shell for p in python3.13 python3.12 python3 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 12), (3, 13)))' 2>/dev/null \
  && command -v $$p && break; done)
NOT_CORE := components pipelines lineage benchmarks examples
DEMO_DIR ?= $(ROOT)runs/demo
# Test files that run side by side.
JOBS ?= 2

# Folder, Python and lock of an environment -> the commands that make it.
define environment
@echo "Making the environment in $(1) (about 3 GB, a few minutes)"
@test -x "$(1)/bin/python" || "$(2)" -m venv "$(1)"
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
@$(1)/bin/uv pip install --system-certs --quiet --python $(1)/bin/python --no-deps --compile-bytecode -r "$(ROOT)requirements/$(3)"
@$(1)/bin/uv pip install --system-certs --quiet --python $(1)/bin/python --no-deps --no-build-isolation -e "$(ROOT)"
@touch $@
endef

.PHONY: advisories env env-next env-xla demo test test-all test-core-next lint lock lock-next lock-xla
.DEFAULT_GOAL := demo

env: $(DONE)

$(DONE): $(ROOT)requirements/all.lock $(ROOT)setup.py
	@test -n "$(PYTHON)" || { echo "kfer needs Python 3.11 and found none on PATH; install it or run make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(call environment,$(ROOT).venv,$(PYTHON),all.lock)

# jax alone, for benchmarks/xla; it can't share TensorFlow's environment.
env-xla: env
	@test -x $(ROOT).venv-xla/bin/python || $(BIN)/python -m venv "$(ROOT).venv-xla"
	@$(BIN)/uv pip install --system-certs --quiet --python $(ROOT).venv-xla/bin/python --no-deps --compile-bytecode -r "$(ROOT)requirements/xla.lock"

env-next: $(NEXT_DONE)

$(NEXT_DONE): $(ROOT)requirements/next.lock $(ROOT)setup.py
	@test -n "$(NEXT_PYTHON)" || { echo "The newest TensorFlow wants Python 3.12 or 3.13 and there is none on PATH; install one or run make NEXT_PYTHON=/path/to/python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	$(call environment,$(ROOT).venv-next,$(NEXT_PYTHON),next.lock)

demo: env
	@$(BIN)/kfer-demo --out_dir="$(DEMO_DIR)"

test: env
	@cd "$(ROOT)" && $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not slow" $(PYTEST_ARGS)

test-all: env
	@cd "$(ROOT)" && $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

# What needs TFX or a browser, and what only measures, stays behind.
test-core-next: env-next
	@cd "$(ROOT)" && $(NEXT)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not slow" \
	  $(addprefix --ignore=tests/,$(NOT_CORE)) --ignore-glob='*_browser_test.py' $(PYTEST_ARGS)

lint: env
	@cd "$(ROOT)" && $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache && $(BIN)/mypy

# Known holes in what is locked; needs a network.
advisories: env
	@$(BIN)/uv tool run --system-certs pip-audit --no-deps --disable-pip -r "$(ROOT)requirements/all.lock"

# Resolves requirements/all.in anew; run it to move to other versions.
lock: env
	@cd "$(ROOT)requirements" && $(BIN)/uv pip compile --system-certs --quiet --python-version 3.11 \
	  all.in --override overrides.txt -o all.lock

lock-xla: env
	@cd "$(ROOT)requirements" && $(BIN)/uv pip compile --system-certs --quiet --python-version 3.11 \
	  xla.in -o xla.lock

lock-next: env
	@cd "$(ROOT)requirements" && $(BIN)/uv pip compile --system-certs --quiet --universal --python-version 3.12 \
	  next.in -o next.lock
