# The one door: `make help` lists what it opens.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test files that run at a time: most tests wait for processes half of the time.
JOBS ?= 3
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench chaos protos lock minio postgres clean

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

setup: $(VENV)/.ready ## Make .venv with everything that is locked, and the stubs

$(VENV)/.ready: requirements.lock pyproject.toml services/dataset_handlers/pyproject.toml $(shell find protos -name '*.proto')
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Build a dataset from real photos, train on it, retouch a photo; RAW=DIR, PHOTO=FILE BOX=X,Y,W,H take yours
	$(BIN)/python demo/demo.py $(if $(RAW),--raw "$(RAW)") $(if $(PHOTO),--photo "$(PHOTO)") $(if $(BOX),--box "$(BOX)")

test: setup minio postgres ## Run every test, on SQLite, a real PostgreSQL, the local store and a real MinIO
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: setup ## Check style, types and protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy services clients models
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	@git rev-parse --verify --quiet origin/main >/dev/null && $(BIN)/buf breaking --against '.git#ref=origin/main' || true

bench: setup ## Measure the services side by side with peers, in alternating runs
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/bench_handlers.py
	$(BIN)/python tests/bench/bench_inpainting.py
	$(BIN)/python tests/bench/bench_load.py
	$(BIN)/python tests/bench/bench_catalog.py

SECONDS ?= 90
DATABASE ?= postgresql
STORE ?= local

chaos: setup ## Kill, stop and starve a deployment by chance, and prove that nothing is lost; SECONDS, SEED, DATABASE, STORE
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --database $(DATABASE) --store $(STORE) $(if $(SEED),--seed $(SEED))

protos: ## Make the gRPC stubs again
	$(BIN)/python protos/build_stubs.py

lock: ## Resolve requirements.lock again from pyproject.toml
	$(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		--all-extras --group dev --no-emit-package dataset-handlers pyproject.toml -o requirements.lock

# Pinned: the version that the tests were written against.
MINIO_MODULE := github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
MINIO_BUILT := $(CURDIR)/.cache/bin/minio

minio: ## Find the MinIO server that the tests start, or build it with Go (about 3 minutes)
	@if [ -n "$$DARKROOM_MINIO" ]; then found="$$DARKROOM_MINIO"; \
	elif found=$$(command -v minio); then :; \
	elif [ -x "$(MINIO_BUILT)" ]; then found="$(MINIO_BUILT)"; \
	elif command -v go >/dev/null; then \
		echo "building $(MINIO_MODULE)"; \
		GOBIN="$(dir $(MINIO_BUILT))" go install "$(MINIO_MODULE)" && found="$(MINIO_BUILT)" || exit 1; \
	else \
		echo "no MinIO server here: put minio on the PATH, or install Go (https://go.dev/doc/install) to build it," \
			"or set DARKROOM_MINIO to the path of a binary" >&2; exit 1; \
	fi; \
	"$$found" --version >/dev/null || { echo "$$found is no MinIO server" >&2; exit 1; }; \
	echo "tests use the MinIO server $$found"

postgres: ## Find the PostgreSQL programs that the tests start a server of their own with
	@for folder in "$$DARKROOM_POSTGRES" "$$(dirname "$$(readlink -f "$$(command -v postgres)")" 2>/dev/null)" \
		$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do \
		if [ -x "$$folder/postgres" ] && [ -x "$$folder/initdb" ]; then \
			echo "tests use $$("$$folder/postgres" --version) in $$folder"; exit 0; \
		fi; \
	done; \
	echo "no PostgreSQL server here: install Debian's package postgresql (its own cluster is not used)," \
		"or set DARKROOM_POSTGRES to the folder of its programs" >&2; exit 1

clean: ## Remove what setup made
	rm -rf $(VENV) .cache build dist
