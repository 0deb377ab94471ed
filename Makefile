# The commands of this repository; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= auto
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.PHONY: help run test lint servers schemas bench reliability constraints clean

help: ## list these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 20

run: .venv/.run .mailrules/mailbox ## handle the sample mailbox; a second time there is nothing to do
	@$(BIN)/mailrules run --once

# The rules move and delete: what they get is a copy of the mail that ships.
.mailrules/mailbox:
	@mkdir -p $@.new/{cur,new,tmp} && cp sample/mail/*.eml $@.new/new && mv $@.new $@

test: .venv/.dev servers lint ## check everything, against real servers where they can be installed
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) --maxprocesses=4 --dist=worksteal --quiet

lint: .venv/.dev ## check style, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --strict src
	@$(BIN)/mypy --strict --explicit-package-bases tests/servers
	@$(BIN)/lint-imports --no-logo

servers: .venv/.dev
	@PYTHON=$(CURDIR)/$(BIN)/python tests/servers/install.sh

schemas: .venv/.run ## generate schemas/ anew
	@$(BIN)/mailrules schema --write schemas

bench: .venv/.dev ## measure what it costs
	@$(BIN)/python -m benchmarks

SECONDS := 900
WHOLE := $(filter 900,$(SECONDS))
reliability: .venv/.dev servers ## keep a dozen listeners running while everything around them fails (SECONDS=60: briefly)
	@$(BIN)/python -m benchmarks.reliability --idle --seconds $(SECONDS) $(if $(WHOLE),--write docs/reliability.md)

constraints: .venv/.dev ## pin the versions that are installed now
	@$(BIN)/python -m pip freeze --exclude-editable --exclude mailrules > constraints.txt

clean: ## remove what these commands made
	@rm -rf .venv .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A folder that lacks pip is what an interrupted start left behind.
.venv/bin/pip:
	@python=$$(.ci/python); "$$python" -m venv --clear .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "installing mailrules into .venv"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt $(PLUGINS) | .venv/bin/pip
	@echo "installing mailrules, its plugins and its development tools into .venv"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]' $(PLUGINS:%/pyproject.toml=--editable ./%)
	@touch .venv/.run $@
