# make demo, make test: all that is needed is Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: install demo voices test check bench compare rates soak audit lock

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
# Ratios in one run: whole servers over HTTP, beside simpler and more usual ones; ROUNDS=5 SECONDS=2 for longer.
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
# Known vulnerabilities of all that is pinned. It first asks for one that everybody knows: a service that does not
# answer would find nothing, and nothing must not look like good news.
audit: $(VENV)/ready-dev
	@echo 'flask==0.12.2' > $(VENV)/vulnerable.txt
	@$(BIN)/pip-audit --strict --disable-pip --no-deps -f json -r $(VENV)/vulnerable.txt 2>/dev/null | grep -q '"id"' || \
	  { echo "Nothing was audited: no vulnerability service answers here." >&2; exit 1; }
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.txt

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
