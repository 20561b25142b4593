# Each target installs what it needs. A fresh clone needs only Python 3.13, or uv, which brings Python. If uv is there, it
# also installs the packages, because it is faster than pip.
SHELL := /bin/sh
.DEFAULT_GOAL := help
DEALS ?= 10
# Where this variable is set, each process of the tests compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE
# make test leaves out the slow tests, for example those that interrupt a run at each of its calls. CI runs all tests
# with: make test MARK=
MARK ?= not slow
VENV := .venv
PY := $(VENV)/bin/python
DEPLOY = --subscription='$(SUBSCRIPTION)' $(if $(YES),--yes)
# The packages of requirements-local.txt are enough to run and deploy. The tests and checks need requirements-dev.txt.
LOCAL_READY := $(VENV)/.local-ready
READY := $(VENV)/.ready
# If this variable is set, tests that need Node.js fail instead of being skipped. .ci/run sets it.
NODE_REQUIRED ?=
# Without a network, npm gives up after seconds instead of a minute for each folder.
NPM_OPTIONS := --ignore-scripts --no-audit --no-fund --loglevel=error --prefer-offline --fetch-retries=1 \
	--fetch-retry-mintimeout=1000
NODE_FOLDERS := tests/conformance/azurite tests/conformance/jsforce tests/conformance/kusto

.PHONY: help run serve trouble test simulate check deploy promote rollback lock measure bench route mutants clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

run: $(LOCAL_READY) ## show deals travel between Salesforce and Partner Center, all on this machine (DEALS=1000 for more deals)
	@DEALS='$(DEALS)' $(PY) -m local.story

serve: $(LOCAL_READY) ## run the same systems with timers on schedule until Ctrl-C (PORT=9443, or 0 for free ports; MAPPING=my.toml; SYNC=preview)
	@$(PY) -m local.serve $(if $(PORT),--port='$(PORT)')

trouble: $(LOCAL_READY) ## the same with twenty deals, six of them in trouble, to try docs/troubleshooting.md (PORT=9443)
	@$(PY) -m local.trouble $(if $(PORT),--port='$(PORT)')

test: $(READY) node ## run all tests except the slow ones (with Node.js also Azurite, jsforce and the alert queries)
	@$(PY) -m pytest -q -n 2 --dist worksteal -m '$(MARK)' -p infra.azure.deploy.test_record_plugin \
		$(if $(COVERAGE),--cov --cov-report=)
	@$(if $(COVERAGE),echo "Statements of shared/ that these tests run: $$($(PY) -m coverage report --format=total) %")

simulate: $(READY) ## run many seeds of people, faults and crashes (SEEDS=2000; FIRST=2000 begins there; LINKS=10000 EDITS=100000 FAULTS=0.2)
	@$(PY) -m $(if $(LINKS),tests.simulation.scale $(LINKS) $(or $(EDITS),100000) $(or $(FAULTS),0),tests.simulation \
		$(or $(FIRST),0) --seeds $(or $(SEEDS),2000))

check: $(READY) ## run ruff and mypy, and compare the docs with the code
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) -m pytest -q tests/unit/docs

deploy: env-is-given $(LOCAL_READY) ## deploy this checkout to Azure: make deploy ENV=staging (YES=1: no questions; SUBSCRIPTION=name)
	@$(PY) -m infra.azure.deploy deploy --env '$(ENV)' $(DEPLOY)

promote: $(LOCAL_READY) ## deploy the code of staging to production, if make test passed on it
	@$(PY) -m infra.azure.deploy promote --env production $(DEPLOY)

rollback: env-is-given $(LOCAL_READY) ## restore the previous version: make rollback ENV=staging
	@$(PY) -m infra.azure.deploy rollback --env '$(ENV)' $(DEPLOY)

measure: $(LOCAL_READY) ## measure import times and memory of the app, and compare them with their limits
	@$(PY) -m local.measure

bench: $(LOCAL_READY) node ## measure this build, the commit f9a8dde and two scripts on the same systems (ROWS="create update"; QUICK=1)
	@ROWS='$(ROWS)' QUICK='$(QUICK)' DOCS='$(DOCS)' $(PY) -m benchmarks

route: $(LOCAL_READY) ## count what a deal passes on its way through the code, and compare it with its limits
	@$(PY) -m local.measure_route

mutants: $(READY) ## change the rules in small ways and report which changes no test notices (MODULES="merge plan"; hours for all)
	@nice -n 19 $(PY) -m tests.mutants $(MODULES)

lock: ## write the lock files with versions and hashes from requirements*.in, and the app's bill of materials (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv. Install it with: python3 -m pip install uv"; exit 1; }
	@for name in requirements requirements-cli requirements-local requirements-dev; do \
		uv pip compile -q --universal --python-version 3.13 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt; done
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	uv pip install -q --target "$$folder/packages" --python-platform linux --python-version 3.13 --only-binary :all: \
		--require-hashes -r requirements.txt && \
	uv run -q --no-project --python 3.13 -m local.write_sbom "$$folder/packages" > "$$folder/sbom" && \
	cp "$$folder/sbom" sbom.cdx.json

clean: ## remove everything that the targets created
	@rm -rf $(VENV) .bench .coverage dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .mutants $(addsuffix /node_modules,$(NODE_FOLDERS))
	@git worktree prune 2>/dev/null || true

.PHONY: env-is-given
env-is-given:
	@[ -n '$(ENV)' ] || { echo "ENV is missing. Name the environment, for example: make $(MAKECMDGOALS) ENV=staging"; exit 2; }

$(LOCAL_READY): requirements-local.txt
	@if $(PY) -c '' 2>/dev/null; then exit 0; fi; \
	echo "Creating the Python environment $(VENV)."; \
	if command -v python3.13 >/dev/null 2>&1 && python3.13 -c '' 2>/dev/null; then \
		python3.13 -m venv $$(command -v uv >/dev/null 2>&1 && echo --without-pip) $(VENV); \
	elif command -v uv >/dev/null 2>&1; then uv venv -q --allow-existing --python 3.13 $(VENV); \
	else echo "Python 3.13 is missing. Install it (the command python3.13), or install uv, which brings Python."; exit 1; fi
	@$(PY) -m local.install_packages requirements-local.txt
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(PY)" -m shared.cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $(VENV)/bin/cosell
	@chmod +x $(VENV)/bin/cosell && touch $@

$(READY): $(LOCAL_READY) requirements-dev.txt
	@$(PY) -m local.install_packages requirements-dev.txt
	@touch $@

.PHONY: node
node:
	@if command -v npm >/dev/null 2>&1; then missing=; for folder in $(NODE_FOLDERS); do \
		[ -d $$folder/node_modules ] && continue; \
		echo "Installing Node packages in $$folder. This happens once."; \
		(cd $$folder && npm ci $(NPM_OPTIONS)) && continue; \
		rm -rf $$folder/node_modules; missing="npm cannot install the packages of $$folder"; break; done; \
	else missing="Node.js is not installed"; fi; \
	[ -n "$$missing" ] || exit 0; \
	tests="the tests with Azurite, jsforce and the parser of alert queries"; \
	if [ -n '$(NODE_REQUIRED)' ]; then echo "FAILED: $$missing, but NODE_REQUIRED is set: $$tests must run."; exit 1; fi; \
	echo "SKIPPED: $$missing, so $$tests do not all run."
