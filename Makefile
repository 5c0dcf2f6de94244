# make demo, make test: all that is needed is Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: install demo voices test check bench compare rates soak lock

install: $(VENV)/ready
demo: $(VENV)/ready
	$(BIN)/ivr demo
test: $(VENV)/ready-dev
	$(BIN)/pytest
check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/ivr check
# Recordings by the offline engine, for a demo that can be heard in languages that no voice speaks; some minutes.
voices: $(VENV)/ready
	$(PIP) install --require-hashes -r requirements-offline.txt
	$(BIN)/ivr record --engine espeak
# Ratios in one run: the line beside a constant Flask answer.
bench: $(VENV)/ready-dev
	$(BIN)/python -m tests.bench
# How well texts are understood, beside simpler ways; HALF=sealed for the half that nobody looked at.
compare: $(VENV)/ready-dev
	$(BIN)/python -m tests.compare $(HALF)
# How fast each language is spoken; for content/languages.toml.
rates: $(VENV)/ready-dev
	$(BIN)/python -m tests.rates
# The long ones: many more generated texts, forms and calls than make test tries; a worker killed while it sends;
# ten million answers, and how long a report of them takes.
soak: $(VENV)/ready-dev
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest tests/test_properties.py
	$(BIN)/python -m tests.soak_outbox 1000 25
	$(BIN)/python -m tests.soak_report

$(VENV)/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@
$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	$(PIP) install --require-hashes -r requirements-dev.txt
	touch $@

# Pin all dependencies anew, with hashes and without a registry's address.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra build
lock:
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --extra offline -c requirements.txt pyproject.toml -o requirements-offline.txt
	$(LOCK) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
