# Everything a developer or a user does here.  `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
TEXT ?= Hello. This voice was trained by ttskit itself.
OUT ?= out.wav
export TEXT OUT # to the shell as they are, whatever marks are in them
.PHONY: help say demo test check format bench clean

help: ## list what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

say: $(READY) ## speak: make say TEXT="..." writes out.wav, or OUT=... (wav, flac, ogg)
	@$(BIN)/ttskit say "$$TEXT" -o "$$OUT" --json

demo: $(READY) ## run every stage that exists on recordings that ttskit synthesises itself
	$(MAKE) --no-print-directory -C examples/demo TTSKIT="$(CURDIR)/$(BIN)/ttskit" BUILD="$(CURDIR)/demo"

test: $(READY) ## run the tests, in an environment made for them
	$(BIN)/python -m pytest -n auto

check: $(READY) ## everything that must be green: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto -m "slow or not slow"

format: $(READY) ## format the code and sort its imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## run the benchmarks and rewrite the table in docs/performance.md
	$(BIN)/python benchmarks/run.py

clean: ## remove what these rules made
	rm -rf $(VENV) demo

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "torch" setuptools
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--editable ".[dev]"
	touch $(READY)
