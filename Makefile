# Everything sets itself up: a fresh clone needs Python 3.13 (or uv) and nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
DEALS ?= 10
# The long runs, where every call of every scenario is a place to die, are for CI: make test MARK=
MARK ?= not slow
VENV := .venv
PY := $(VENV)/bin/python
DEPLOY = --subscription='$(SUBSCRIPTION)' $(if $(YES),--yes)
READY := $(VENV)/.ready
NODE_FOLDERS := tests/conformance/azurite tests/conformance/jsforce tests/conformance/kusto

.PHONY: help run serve test check deploy promote rollback lock measure clean

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

run: $(READY) ## watch deals travel between Salesforce and Partner Center (DEALS=1000 for more)
	@DEALS='$(DEALS)' $(PY) -m local.story

serve: $(READY) ## start the same systems, timers on schedule, until Ctrl-C (PORT=9443: from that port on; 0: free ones)
	@$(PY) -m local.serve $(if $(PORT),--port='$(PORT)')

test: $(READY) node ## run the tests but for the long runs (with Node also Azurite and jsforce)
	@$(PY) -m pytest -q -n 2 --dist worksteal -m '$(MARK)' -p infra.azure.deploy.test_record_plugin \
		$(if $(COVERAGE),--cov --cov-report=)
	@$(if $(COVERAGE),echo "Statements of shared/ that these tests run: $$($(PY) -m coverage report --format=total) %")

check: $(READY) ## ruff, mypy strict, and the docs against the code
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) -m pytest -q tests/unit/docs

deploy: $(READY) ## deploy this checkout to Azure: make deploy ENV=staging (YES=1, SUBSCRIPTION=name)
	@$(PY) -m infra.azure.deploy deploy --env '$(ENV)' $(DEPLOY)

promote: $(READY) ## deploy the code of staging to production, if make test passed on it
	@$(PY) -m infra.azure.deploy promote --env production $(DEPLOY)

rollback: $(READY) ## restore the previous version: make rollback ENV=staging
	@$(PY) -m infra.azure.deploy rollback --env '$(ENV)' $(DEPLOY)

measure: $(READY) ## import times and memory, against their limits
	@$(PY) -m local.measure

lock: ## pin the dependencies anew, with hashes
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv"; exit 1; }
	@for name in requirements requirements-cli requirements-dev; do \
		uv pip compile -q --universal --python-version 3.13 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt; done

clean: ## remove what the targets made
	@rm -rf $(VENV) .coverage dist .mypy_cache .ruff_cache .pytest_cache .hypothesis $(addsuffix /node_modules,$(NODE_FOLDERS))

$(READY): requirements-dev.txt
	@if command -v python3.13 >/dev/null 2>&1 && python3.13 -c '' 2>/dev/null; then python3.13 -m venv $(VENV); \
	elif command -v uv >/dev/null 2>&1; then uv venv -q --seed --python 3.13 $(VENV); \
	else echo "This needs Python 3.13 (the command python3.13), or uv, which brings it."; exit 1; fi
	@echo "Installing the pinned dependencies into $(VENV), once."
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(PY)" -m shared.cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $(VENV)/bin/cosell
	@chmod +x $(VENV)/bin/cosell && touch $@

.PHONY: node
node:
	@if command -v npm >/dev/null 2>&1; then \
		for folder in $(NODE_FOLDERS); do \
			[ -d $$folder/node_modules ] || { echo "Installing Node packages in $$folder, once."; \
			(cd $$folder && npm ci --ignore-scripts --no-audit --no-fund --silent); } || exit 1; done; \
	else echo "SKIPPED: Node.js is not installed, so Azurite, jsforce and the judge of alert queries do not judge this run."; fi
