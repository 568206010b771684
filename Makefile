# Every target installs its own requirements; `make help` lists them.
PYTHON ?= python3
PORT ?= 8080
DATA ?= .roster
VENV := .venv
BIN := $(VENV)/bin
# dynoxide has a binary for Linux on x86-64 only; elsewhere ministack takes its place. Neither is
# installed for an engine that the environment names.
PLATFORM ?= $(shell uname -s)-$(shell uname -m)
FALLBACK := tools/local-dynamodb/fallback
ifneq ($(DYNAMODB_HOST)$(DYNAMODB_ENGINE),)
ENGINE :=
else ifeq ($(PLATFORM),Linux-x86_64)
ENGINE := tools/local-dynamodb/node_modules/.package-lock.json
else
ENGINE := $(FALLBACK)/.venv/stamp
export DYNAMODB_ENGINE := $(CURDIR)/$(FALLBACK)/engine
endif
FASTAPI := bench/peers/fastapi/.venv
EXPRESS := bench/peers/express/node_modules/.package-lock.json
TOOLS := $(VENV)/contract.stamp
CONTRACT := tests/contract/node_modules/.bin
NPM := node_modules/.package-lock.json
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp
VECTORS := $(VENV)/vectors.stamp
UPSTREAM := $(VENV)/upstream.stamp
PICO := tools/pico/node_modules/@picocss/pico
# Committed, so that neither a start nor the container downloads anything for the page at /docs.
SWAGGER_UI := $(wildcard api/static/swagger-ui/*)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NPM_CONFIG_LOGLEVEL := error

BUILDER ?= $(firstword $(foreach one,docker podman buildah,$(shell command -v $(one))))
IMAGE ?= roster
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help
.PHONY: help run test test-extension fallback-engine coverage test-browser test-contract fuzz clients lint lint-openapi lint-kubernetes deploy-templates image image-base test-image audit sbom format bench bench-peers chaos soak breached-passwords openapi swagger-ui pico translations screenshots docs requirements clean

help: ## list every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

run: $(RUN) $(ENGINE) ## serve the API on the embedded engine with demo users (PORT=8080 DATA=.roster)
	@exec $(BIN)/roster serve --local --with-make --port $(PORT) --data "$(DATA)"

test: $(DEV) $(VECTORS) $(UPSTREAM) $(ENGINE) tools/swagger-ui/$(NPM) tools/pico/$(NPM) ## run the whole suite (ARGS="-k name" narrows it)
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

fallback-engine: $(FALLBACK)/.venv/stamp ## install the engine for machines without a dynoxide binary

coverage: $(DEV) $(VECTORS) $(UPSTREAM) $(ENGINE) tools/swagger-ui/$(NPM) tools/pico/$(NPM) ## run the suite and hold branch coverage to its bound
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)
	$(BIN)/coverage report --include='flask_pynamodb/*' --fail-under=100

test-browser: $(DEV) $(ENGINE) tests/browser/$(NPM) ## drive Chromium through Swagger UI
	@test -x /usr/bin/chromium || { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends chromium; }
	$(BIN)/pytest -n 2 --dist loadfile tests/browser $(ARGS)

# In the order of the files: by the number of tests, the longest file would be the last.
test-contract: $(DEV) $(ENGINE) $(TOOLS) tests/contract/$(NPM) ## fuzz the service, use generated clients
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --timeout 900 tests/contract $(ARGS)

clients: $(DEV) $(ENGINE) $(TOOLS) tests/contract/$(NPM) ## build and test the client packages in dist/clients
	@PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(VENV)/contract/bin:$(CURDIR)/$(CONTRACT):$$PATH" \
	    $(BIN)/python clients/build.py dist/clients
	$(BIN)/pytest tests/contract/test_clients.py $(ARGS)

fuzz: $(DEV) $(ENGINE) $(TOOLS) tests/contract/$(NPM) ## the same fuzzing with 500 examples for each operation
	FUZZ_EXAMPLES=500 $(BIN)/pytest --timeout 3600 tests/contract/test_fuzz.py $(ARGS)

lint: $(DEV) tools/pyright/$(NPM) ## ruff, mypy, pyright, bandit, import-linter, vocabulary, hadolint, cfn-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	tools/pyright/node_modules/.bin/pyright --pythonpath $(BIN)/python
	$(BIN)/bandit -q -c pyproject.toml -r roster web api models flask_pynamodb
	$(BIN)/lint-imports
	$(BIN)/python tools/vocabulary.py
	$(BIN)/hadolint Dockerfile
	$(BIN)/cfn-lint deploy/cloudformation/*.yaml

lint-openapi: tests/contract/$(NPM) ## Spectral with the OWASP rules, and Redocly
	$(CONTRACT)/spectral lint -q --fail-severity=hint -r openapi/spectral.yaml openapi/openapi.json
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	    $(CONTRACT)/redocly lint --config openapi/redocly.yaml openapi/openapi.json

audit: $(TOOLS) ## check the pinned dependencies for known vulnerabilities (ARGS=--require-databases)
	$(VENV)/contract/bin/python tools/audit.py --pip-audit $(VENV)/contract/bin/pip-audit $(ARGS)

# The time of the last commit, so that the same commit makes the same file.
sbom: $(TOOLS) ## write the software bill of materials (CycloneDX) to dist/sbom.cdx.json
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || date +%s) \
	    $(VENV)/contract/bin/python tools/sbom.py dist/sbom.cdx.json

breached-passwords: $(DEV) ## write the filter of breached passwords from its source
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    $(BIN)/python -m pip download -q --no-deps -d "$$folder" -r tools/breached-passwords.txt && \
	    PYTHONPATH=. $(BIN)/python tools/write_breached_passwords.py "$$folder"

format: $(DEV) ## fix and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) $(ENGINE) ## measure the service beside a bare route (needs wrk)
	$(BIN)/python -m bench $(ARGS)

chaos: $(DEV) $(ENGINE) ## fail, throttle and kill the database under load (ARGS=--write)
	$(BIN)/python -m bench.chaos $(ARGS)

soak: $(DEV) $(ENGINE) ## mixed traffic for 30 minutes (ARGS="--seconds 60" is shorter)
	$(BIN)/python -m bench.soak $(ARGS)

bench-peers: $(DEV) $(ENGINE) $(FASTAPI)/run.stamp $(EXPRESS) ## measure reads beside other services (needs wrk)
	$(BIN)/python -m bench.peers $(ARGS)

openapi: $(DEV) ## write openapi/*.json
	$(BIN)/roster openapi write

# Other builders than docker would write a format without the HEALTHCHECK.
image: ## build the container image (BUILDER=docker, podman or buildah; BASE=... IMAGE=roster)
	@test -n "$(BUILDER)" || { echo "docker, podman or buildah is needed to build the image" >&2; exit 1; }
	$(BUILDER) build $(if $(filter docker,$(notdir $(BUILDER))),,--format docker) \
	    $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$(REVISION) -t $(IMAGE) -t $(IMAGE):$(VERSION) $(ARGS) .

image-base: ## print the base of the image with its present digest (needs skopeo)
	@base=$$(sed -n 's/^ARG BASE=//p' Dockerfile) && \
	    digest=$$(skopeo inspect --format '{{.Digest}}' "docker://$$base") && \
	    echo "$${base%:*}@$$digest"

# As root on Debian or Ubuntu, since the image is built and mounted without a daemon.
test-image: $(DEV) $(ENGINE) ## build the image on a stand-in for its base, run it (as root)
	@for name in buildah debootstrap bwrap; do command -v $$name >/dev/null || { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends buildah debootstrap bubblewrap; break; }; done
	tools/build_image.sh
	TEST_IMAGE=built $(BIN)/pytest tests/image $(ARGS)

deploy-templates: $(DEV) ## write the tables of deploy/ from the models
	PYTHONPATH=. $(BIN)/python tools/deploy_templates.py

# The schemas of Kubernetes take 108 MB, so they are in an environment of their own.
lint-kubernetes: $(VENV)/kubernetes.stamp ## compare deploy/kubernetes with the schemas of Kubernetes
	$(VENV)/kubernetes/bin/kubernetes-validate --strict deploy/kubernetes/*.yaml

swagger-ui: tools/swagger-ui/$(NPM) ## copy the pinned Swagger UI to api/static/swagger-ui
	cp $(addprefix tools/swagger-ui/node_modules/swagger-ui-dist/,$(notdir $(SWAGGER_UI))) api/static/swagger-ui/

pico: tools/pico/$(NPM) ## copy the pinned CSS base of the pages to web/static/pico
	cp $(PICO)/LICENSE.md $(PICO)/css/pico.min.css web/static/pico/

translations: $(DEV) ## update and compile the catalogs of the pages and emails
	$(BIN)/python tools/translations.py

screenshots: $(DEV) $(ENGINE) tests/browser/$(NPM) ## take the pictures of the pages for the docs
	@for name in chromium pngquant cwebp; do command -v $$name >/dev/null || { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends chromium pngquant webp fonts-noto-core; break; }; \
	done
	$(BIN)/python tools/screenshots.py

docs: $(DEV) ## build the Sphinx site, warnings are errors
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html

# Extras stay in the requirements: for coverage[toml], pip before 23.3 installs the newest release,
# which a pin of coverage alone does not prevent, and whose hash is then unknown.
requirements: $(DEV) ## compile requirements/*.txt with hashes
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q pyproject.toml requirements/run.in \
	    -o requirements/run.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q pyproject.toml requirements/test.in \
	    -c requirements/run.txt -o requirements/test.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q requirements/contract.in \
	    -o requirements/contract.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q requirements/sbom.in -o requirements/sbom.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q requirements/fallback-engine.in \
	    -o requirements/fallback-engine.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-strip-extras -q requirements/kubernetes.in \
	    -o requirements/kubernetes.txt

clean: ## remove the files of the other targets, but not the data
	rm -rf $(VENV) tools/*/node_modules tests/*/node_modules \
	    docs/_build .pytest_cache .mypy_cache .ruff_cache .coverage*

$(RUN): requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Roster needs Python 3.11 or later; name one with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned dependencies ..."
	@$(BIN)/pip install -q --require-hashes -r requirements/run.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/test.txt $(RUN)
	@echo "Installing the pinned tools ..."
	@$(BIN)/pip install -q --require-hashes -r requirements/test.txt
	@touch $@

# AWS's test vectors for signatures and the protocol are in botocore's source distribution only. Its
# version and its hash are those of the requirements.
$(VECTORS): requirements/run.txt $(DEV)
	@echo "Downloading AWS's test vectors ..."
	@rm -rf $(VENV)/vectors && mkdir $(VENV)/vectors
	@awk '/^botocore==/ { on = 1 } on { print } on && !/\\$$/ { exit }' $< > $(VENV)/vectors/botocore.txt
	@$(BIN)/pip download -q --require-hashes --no-deps --no-binary botocore \
	    -r $(VENV)/vectors/botocore.txt -d $(VENV)/vectors
	@touch $@

# PynamoDB's own tests are in its source distribution only; version and hash are those of the
# requirements, too.
$(UPSTREAM): requirements/run.txt $(DEV)
	@echo "Downloading PynamoDB's tests ..."
	@rm -rf $(VENV)/upstream && mkdir $(VENV)/upstream
	@awk '/^pynamodb==/ { on = 1 } on { print } on && !/\\$$/ { exit }' $< > $(VENV)/upstream/pynamodb.txt
	@$(BIN)/pip download -q --require-hashes --no-deps --no-binary pynamodb \
	    -r $(VENV)/upstream/pynamodb.txt -d $(VENV)/upstream
	@touch $@

$(TOOLS): requirements/contract.txt
	@echo "Installing the tools of the contract tests ..."
	@test -x $(VENV)/contract/bin/python || $(PYTHON) -m venv $(VENV)/contract
	@$(VENV)/contract/bin/pip install -q --require-hashes -r requirements/contract.txt
	@touch $@

# No package needs its installation scripts here.
%/$(NPM): %/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to install $*" >&2; exit 1; }
	@echo "Installing the pinned packages of $* ..."
	@npm ci --prefix $* --ignore-scripts --no-fund --no-audit --no-update-notifier >/dev/null
	@touch $@

$(VENV)/kubernetes.stamp: requirements/kubernetes.txt
	@echo "Installing the schemas of Kubernetes ..."
	@test -x $(VENV)/kubernetes/bin/python || $(PYTHON) -m venv $(VENV)/kubernetes
	@$(VENV)/kubernetes/bin/pip install -q --require-hashes -r $<
	@touch $@

$(FALLBACK)/.venv/stamp: requirements/fallback-engine.txt
	@echo "Installing the fallback engine ..."
	@test -x $(FALLBACK)/.venv/bin/python || $(PYTHON) -m venv $(FALLBACK)/.venv
	@$(FALLBACK)/.venv/bin/pip install -q --require-hashes -r $<
	@touch $@

tools/local-dynamodb/node_modules/.package-lock.json: tools/local-dynamodb/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to install the local engine" >&2; exit 1; }
	@echo "Installing the local engine ..."
	@npm ci --prefix tools/local-dynamodb --no-fund --no-audit --no-update-notifier >/dev/null
	@cd tools/local-dynamodb && sha256sum -c --quiet dynoxide.sha256 || \
	    { echo "The binary of the local engine is not the one that was reviewed." >&2; exit 1; }
	@touch $@

$(FASTAPI)/run.stamp: bench/peers/fastapi/requirements.txt
	@echo "Installing FastAPI for comparison ..."
	@test -x $(FASTAPI)/bin/python || $(PYTHON) -m venv $(FASTAPI)
	@$(FASTAPI)/bin/pip install -q --require-hashes -r $<
	@touch $@

$(EXPRESS): bench/peers/express/package-lock.json
	@echo "Installing Express for comparison ..."
	@npm ci --prefix bench/peers/express --no-fund --no-audit --no-update-notifier >/dev/null
	@touch $@

# Below the rules of the other environments: the image is compared with the first of them.
OTHER := $(VENV)/$(notdir $(PYTHON))
test-extension: $(DEV) $(VECTORS) $(UPSTREAM) $(ENGINE) ## run the extension's suite with another Python (PYTHON=python3.13)
	@$(BIN)/uv venv -q --allow-existing --python $(PYTHON) $(OTHER)
	@$(BIN)/uv pip install -q --python $(OTHER)/bin/python --require-hashes -r requirements/test.txt
	@$(BIN)/uv pip install -q --python $(OTHER)/bin/python --no-deps --no-build-isolation -e .
	$(OTHER)/bin/python -m pytest -n auto tests/flask_pynamodb $(ARGS)
