# The one door: `make help` lists what it opens.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench protos lock minio clean

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

setup: $(VENV)/.ready ## Make .venv with everything that is locked, and the stubs

$(VENV)/.ready: requirements.lock pyproject.toml services/dataset_handlers/pyproject.toml $(shell find protos -name '*.proto')
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

protos: ## Make the gRPC stubs again
	$(BIN)/python protos/build_stubs.py

lock: ## Resolve requirements.lock again from pyproject.toml
	$(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		--all-extras --group dev --no-emit-package dataset-handlers pyproject.toml -o requirements.lock

clean: ## Remove what setup made
	rm -rf $(VENV) .cache build dist
