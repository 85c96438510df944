# Each target works on a bare machine with Python 3.11: it makes what it needs. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
export VENV
export LD_LIBRARY_PATH := $(abspath $(VENV))/lib/openmp:$(LD_LIBRARY_PATH)
# Python keeps what it compiles, whatever the machine's habit: else each process that is started compiles Django again.
unexport PYTHONDONTWRITEBYTECODE
RUN := $(VENV)/bin/python
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help run test check format requirements screenshots manage clean

help:  ## Lists the targets
	@grep -E '^[a-z%-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

run: environment  ## Runs the service here: PORT=8000, STATE_DIR=.local, DATA_DIR=(official files), DEMO_SIZE=12000
	@exec $(RUN) -m labonnealternance.demo.run

test: environment-browser  ## Every test, browser ones too, on real PostgreSQL (TESTS=tests/offers for a part)
	$(RUN) -m pytest -n 2 --dist loadgroup $(TESTS)

check: environment  ## Format, lint, types, floors, migrations, deployment settings (what .ci/run does before the tests)
	.ci/checks

format: environment  ## Formats code and templates
	$(VENV)/bin/ruff check --fix --exit-zero -q . && $(VENV)/bin/ruff format .

requirements: environment  ## Compiles requirements.txt and requirements-dev.txt from pyproject.toml
	$(VENV)/bin/uv pip compile -q --python-version 3.11 --generate-hashes $(UPGRADE) pyproject.toml -o requirements.txt
	$(VENV)/bin/uv pip compile -q --python-version 3.11 --generate-hashes $(UPGRADE) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

bench-%: environment  ## Measures one of search, import, nightly, queue, office, reasons, suggestions (ARGS=--help)
	$(RUN) -m tests.bench.bench_$* $(ARGS)

screenshots: environment-browser  ## The screenshots of docs/support.md, of the copy that runs on this STATE_DIR (ARGS="--only demande")
	$(RUN) -m tests.screenshots_support $(ARGS)

manage: environment  ## Any Django command: make manage ARGS="import_references --source /data"
	@$(RUN) manage.py $(ARGS)

clean:  ## Removes the environment and the state of this copy
	-[ ! -f .local/mark ] || rm -rf "/var/tmp/labonnealternance-$$(cat .local/mark)"
	rm -rf $(VENV) .local staticfiles bench-results .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: environment environment-browser
environment:
	@$(PYTHON) labonnealternance/embedded/bootstrap.py
environment-browser:
	@$(PYTHON) labonnealternance/embedded/bootstrap.py --browser
