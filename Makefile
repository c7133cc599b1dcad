# `make help` lists what there is. Everything runs in .venv, which is made from requirements.txt when that changes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PYTHON := $(VENV)/bin/python
# The lock's own hash: another lock, another stamp, another installation.
STAMP := $(VENV)/installed-$(shell cksum < requirements.txt | cut -d' ' -f1)

PORT ?= 8000
PYTEST_ARGS ?=
export MUSTER_ENV ?= development
# A run starts a dozen processes: without cached bytecode each compiles Django anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test soak bench lint format reset shell elasticsearch schema lock

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | \
	  while IFS=$$'\t' read -r target text; do printf '  make %-15s %s\n' "$$target" "$$text"; done

run: $(STAMP) ## Everything up, and one evening of the market. PORT=8000 DATA=folder ONCE=1
	@exec $(PYTHON) -m config.run --port "$(PORT)" $(if $(DATA),--data "$(DATA)") $(if $(filter-out 0,$(ONCE)),--once)

test: $(STAMP) ## Linters, types, import contracts and all tests. PYTEST_ARGS="-k offers"
	@exec $(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -rs -q $(PYTEST_ARGS)

soak: $(STAMP) ## The tests marked soak: long runs under load; and all that draw their examples, with many more
	@exec $(PYTHON) -m pytest -m "soak or hypothesis" --hypothesis-profile=searching -rs -s $(PYTEST_ARGS)

bench: $(STAMP) ## Measure. ONLY=rules,matches takes prefixes; figures go to .muster/bench.json
	@exec $(PYTHON) -m config.bench $(if $(ONLY),--only "$(ONLY)")

lint: $(STAMP) ## ruff, mypy and the import contracts alone
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(STAMP) ## Let ruff put code in order
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

reset: $(STAMP) ## Stop the services and remove all data (.muster)
	@exec $(PYTHON) -m config.run reset

shell: $(STAMP) ## Django's shell on the run's data
	@$(PYTHON) -m config.services start >/dev/null
	@exec $(PYTHON) manage.py shell

elasticsearch: $(STAMP) ## Fetch (once) and start Elasticsearch, print its address. STOP=1 stops it
	@exec bash config/elasticsearch.sh $(if $(filter-out 0,$(STOP)),stop)

schema: $(STAMP) ## Write config/schema.graphql from the code. RELEASE=1: it is what clients are promised from now on
	$(PYTHON) manage.py export_schema config.schema:schema --path config/schema.graphql
	$(if $(filter-out 0,$(RELEASE)),cp config/schema.graphql config/released.graphql)

lock: $(STAMP) ## Lock what pyproject.toml asks for, with hashes. UPGRADE=1 takes the newest
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile pyproject.toml --all-extras --generate-hashes --universal \
	  --no-emit-index-url --no-emit-find-links --quiet $(if $(filter-out 0,$(UPGRADE)),--upgrade) -o requirements.txt

# Python 3.11 where there is one, as in production; any newer one does.
$(STAMP): requirements.txt
	@python=$$(command -v python3.11 || command -v python3) || { echo "Muster needs Python 3.11 or newer" >&2; exit 1; }; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Muster needs Python 3.11 or newer: $$python is older" >&2; exit 1; }; \
	echo "• Installing into $(VENV) …"; \
	[ -x $(PYTHON) ] || "$$python" -m venv $(VENV); \
	$(PYTHON) config/install.py
	@rm -f $(VENV)/installed-*; touch $@
