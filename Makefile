SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATASET ?= $(SAMPLE)
STORE ?= ./models
SAMPLE := data/curated_training_data.parquet
NEXT_SAMPLE := data/next_training_data.parquet
# what `make test` runs: paths and options of pytest
T = tests/unit tests/e2e tests/data
CHART := charts/pcc-training-job
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
IMAGE ?= pcc-training-job
# a project of its own: what somebody keeps by the compose file's own name is not touched
DEMO := docker compose -p pcc-training-job-demo -f docker/compose.yaml --profile consumer

.PHONY: help run rerun test fmt golden test-integration test-browser test-image test-cluster cluster-up cluster-down image compose-demo test-chart chart-docs chart-golden setup check lint types imports commit-check docs docs-check lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

# A runtime environment; a development environment holds it too, so either stamp will do.
$(VENV)/.runtime: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(VENV)/.runtime $@

# In a development environment, the package brings its own.
$(BIN)/pcc-job: | $(VENV)/.runtime
	@printf '#!/bin/sh\nexport PYTHONPATH="%s"\nexec "%s" -P -m job "$$@"\n' '$(CURDIR)' '$(abspath $(BIN))/python' > $@
	@chmod +x $@

$(SAMPLE): | $(VENV)/.runtime
	@$(BIN)/python -m job sample-data $@ >&2

$(NEXT_SAMPLE): | $(VENV)/.runtime
	@$(BIN)/python -m job sample-data $@ --seed 8 >&2

run: $(VENV)/.runtime $(BIN)/pcc-job $(if $(filter $(SAMPLE),$(DATASET)),$(SAMPLE)) ## the main job: sample data if there is none, then a model version into ./models
	@$(BIN)/python -m job run --dataset $(DATASET) --store $(STORE)
	@printf 'report: %s\n' "$$(ls -d $(STORE)/v*/report.html | tail -n 1)" >&2
	@printf 'next: %s\n' '. $(BIN)/activate' 'pcc-job models list --store $(STORE)' 'make rerun' >&2

rerun: $(VENV)/.runtime $(BIN)/pcc-job $(NEXT_SAMPLE) ## after `make run`: train on a second sample, and compare the model with the champion
	@$(BIN)/python -m job run --dataset $(NEXT_SAMPLE) --store $(STORE)
	@printf 'report: %s\n' "$$(ls -d $(STORE)/v*/report.html | tail -n 1)" >&2

test: $(VENV)/.dev ## everything that needs no service, or one part: make test T='tests/unit -k name'
	@$(BIN)/python -m pytest $(T)

fmt: $(VENV)/.dev ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

golden: $(VENV)/.dev ## renew the kept files of the sample runs (needs Python 3.11 on x86-64); review the difference
	@PYTHONPATH=tests $(BIN)/python -m support.golden_runs --renew
	@PCC_RENEW_TERMINAL=1 $(BIN)/python -m pytest -q tests/e2e/test_terminal.py

test-integration: $(VENV)/.dev ## the same job against real object stores (needs Docker)
	@$(BIN)/python -m pytest tests/integration

test-browser: $(VENV)/.dev ## the report in headless Chromium (needs chromium); pictures go to build/screenshots
	@$(BIN)/python -m pytest tests/browser

test-image: $(VENV)/.dev ## the image, the compose file and the commands of docs/docker.md (needs Docker)
	@$(BIN)/python -m pytest tests/image

image: ## build the image, and build/sbom.cdx.json beside it; BASE=python:3.13-slim-trixie@sha256:... pins its base
	docker build --tag $(IMAGE) $(if $(BASE),--build-arg BASE=$(BASE)) \
	  --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null) \
	  --build-arg VERSION=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' job/__init__.py) .
	docker build --quiet --target sbom --output build . $(if $(BASE),--build-arg BASE=$(BASE))

compose-demo: image ## publish into MinIO and fetch from it, in containers; leaves nothing behind
	@trap 'trap "" INT TERM; $(DEMO) down --volumes --remove-orphans --timeout 3' EXIT; \
	$(DEMO) run --rm job && $(DEMO) run --rm fetch

test-cluster: $(VENV)/.dev ## the chart on a real Kubernetes (needs Docker, helm, and the cluster of KUBECONFIG)
	@$(BIN)/python -m pytest tests/cluster

cluster-up: ## start a Kubernetes for the tests; prints what to export
	@scripts/cluster.sh up

cluster-down: ## stop it
	@scripts/cluster.sh down

test-chart: $(VENV)/.dev ## the chart, as helm renders it (needs helm)
	@$(BIN)/python -m pytest tests/chart

setup: $(VENV)/.dev ## make .venv from requirements-dev.lock, the package editable

check: lint types imports commit-check docs-check test test-chart ## what CI runs

lint: $(VENV)/.dev ## check style and format; shell, Dockerfile and workflows if the linters are installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	scripts/lint.sh

types: $(VENV)/.dev ## check the types (mypy, strict)
	$(BIN)/mypy

imports: $(VENV)/.dev ## check which package imports which
	$(BIN)/lint-imports

commit-check: $(VENV)/.dev ## check the subjects of this branch's commits; skipped without a git history
	@$(BIN)/python -m scripts.check_commits

docs: $(VENV)/.dev ## write the generated files: tables in the docs, schemas, parts of the chart
	$(BIN)/python -m scripts.generate_docs
	$(BIN)/python -m scripts.generate_chart
	$(BIN)/python -m scripts.generate_schemas

docs-check: $(VENV)/.dev ## check that the generated files are up to date
	$(BIN)/python -m scripts.generate_docs --check
	$(BIN)/python -m scripts.generate_chart --check
	$(BIN)/python -m scripts.generate_schemas --check
	$(BIN)/python -m scripts.simulate_gate --check

chart-docs: ## write the chart's README (needs helm-docs)
	helm-docs --log-level warning -s file -c $(CHART)

chart-golden: ## renew the reviewed manifests of the three environments (needs helm)
	for name in dev staging production; do helm template pcc-training-job $(CHART) --namespace pcc --kube-version 1.34.0 -f $(CHART)/ci/$$name-values.yaml > tests/golden/chart/$$name.yaml; done

lock: ## resolve the lock files again (needs uv)
	$(UV_COMPILE) pyproject.toml -o requirements.lock >/dev/null
	$(UV_COMPILE) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock >/dev/null
	$(UV_COMPILE) --group image -c requirements-dev.lock -o requirements-image.lock >/dev/null

clean: ## remove the environment and the sample data; the local store, ./models, stays
	rm -rf $(VENV) data
