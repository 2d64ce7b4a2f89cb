# A person's commands; each makes what it needs first. Python 3.11 or newer and make are all a machine must have.
PYTHON ?= python3
PY := .venv/bin/python
INSTALLED := .venv/installed
ARGS ?=
# Processes that tests run in, side by side: real services wait most of the time. What may not stands in tests/lanes.py.
WORKERS ?= 3

.PHONY: install demo test browser faults system simulate mutants bench lint format lock sbom licences audit-dependencies dashboards checkov clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements/build.lock requirements/dev.lock headcount/kcl/java/jars.lock $(wildcard headcount/kcl/java/*.java) headcount/kcl/java/logback.xml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headcount needs Python 3.11 or newer, not " + sys.version.split()[0] + ": make PYTHON=python3.x install")'
	@echo "Installing into .venv: about a minute."
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements/dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(PY) -m headcount.kcl.java.build
	@touch $@

demo: install
	@$(PY) -m headcount.demo $(ARGS)

test: install
	$(PY) -m pytest --numprocesses $(WORKERS) $(ARGS)

# The map's page in a real Chromium (Debian's package chromium), before a real game; some 6 minutes. ARGS: --write-screenshots.
browser: install
	$(PY) -m pytest tests/browser $(ARGS)

# Every real fault, one after the other, some 20 minutes; puts the table into docs/correctness.md. ARGS: some of them, no table.
faults: install
	$(PY) -m pytest $(or $(ARGS),tests/fault --write-table)

# Against the containers: what is up, else it brings them up and takes them down again. Needs docker with compose.
system: install
	$(PY) -m pytest tests/system $(ARGS)

# Seeds of simulated faults; ARGS="--seeds 100000" for more, "--seed 7" for one.
simulate: install
	$(PY) -m tests.simulation $(ARGS)

# Each rule broken on purpose: the simulator must notice. Writes the seeds down that did.
mutants: install
	$(PY) -m tests.simulation.breaking $(ARGS)

# How fast and how cheap, into docs/benchmarks; on a quiet machine. ARGS: some sections, --small, --full.
bench: install
	@$(PY) -m benchmarks $(ARGS)

lint: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

format: install
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# Needs uv (a package on PyPI): writes the lock files anew, with hashes for every platform.
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-build-isolation
lock:
	$(UV_COMPILE) requirements/build.in -o requirements/build.lock
	$(UV_COMPILE) pyproject.toml requirements/supply-chain.in --all-extras --group dev -c requirements/build.lock -o requirements/dev.lock
	$(UV_COMPILE) pyproject.toml -c requirements/dev.lock -o requirements/base.lock
	$(UV_COMPILE) pyproject.toml --extra kcl -c requirements/dev.lock -o requirements/kcl.lock
	$(UV_COMPILE) requirements/checkov.in -o requirements/checkov.lock

# Bills of materials into build/sbom; ARGS="--image consumer=headcount-consumer" adds what is in the built image.
sbom: install
	$(PY) -m supply_chain sbom $(ARGS)

licences: install
	$(PY) -m supply_chain licences

# Known vulnerabilities of what is locked: 0 none, 1 some, 69 could not be looked up (make shows 2 for either).
audit-dependencies: install
	@$(PY) -m supply_chain audit $(ARGS)

# Security rules for the Terraform, in an environment of its own: checkov pins what we pin otherwise.
CHECKOV := .cache/checkov
checkov: $(CHECKOV)/installed
	$(CHECKOV)/bin/checkov -d deploy/terraform --framework terraform --skip-download --quiet --compact

$(CHECKOV)/installed: requirements/checkov.lock
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/checkov.lock
	@touch $@

# Grafana's dashboards from their generator.
dashboards: install
	cd docker/grafana && ../../$(PY) -m generate

clean:
	rm -rf .venv .cache build dist headcount/kcl/java/lib
