# Everything a developer or a user does here.  `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BARE := build/bare

.DEFAULT_GOAL := help
TEXT ?= Hello. This voice was trained by ttskit itself.
OUT ?= out.wav
export TEXT OUT # to the shell as they are, whatever marks are in them
.PHONY: help say demo test check chaos docs format bench wheel clean

help: ## list what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

say: $(READY) ## speak: make say TEXT="..." writes out.wav, or OUT=... (wav, flac, ogg)
	@$(BIN)/ttskit say "$$TEXT" -o "$$OUT" --json

demo: $(READY) ## run every stage that exists on recordings that ttskit synthesises itself
	$(MAKE) --no-print-directory -C examples/demo TTSKIT="$(CURDIR)/$(BIN)/ttskit" BUILD="$(CURDIR)/demo"

test: $(READY) ## run the tests, in an environment made for them
	$(BIN)/python -m pytest -n auto

check: $(VENV)/with-check docs ## everything that must be green: format, lint, types, docs, all tests, coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist worksteal -m "slow or not slow" --durations=20 --cov

chaos: $(READY) ## let calls that change files fail, kill runs there, cut the power (hours; C compiler)
	$(BIN)/python -m tests.chaos 12 1
	$(BIN)/python -m tests.power

docs: $(VENV)/with-docs ## build the site of the docs into site/; a broken link fails
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs site

format: $(READY) ## format the code, sort its imports, and write the options into docs/
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m docs.options

bench: $(READY) ## run the benchmarks and rewrite the table in docs/performance.md
	$(BIN)/python benchmarks/run.py

wheel: $(VENV)/with-release ## build the release into dist/, and try its wheel in an environment of its own
	rm -rf dist man $(BARE)
	$(BIN)/python -m docs.man man
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv $(BARE)
	$(BARE)/bin/python -m pip install --quiet --upgrade pip
	$(BARE)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(BARE)/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	.ci/installed $(CURDIR)/$(BARE)/bin "$$($(BIN)/ttskit --version)"

clean: ## remove what these rules made
	rm -rf $(VENV) .coverage build demo dist man site

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "torch" setuptools
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--editable ".[dev]"
	touch $(READY)

$(VENV)/with-%: $(READY)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--editable ".[$*]"
	touch $@
