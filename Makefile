# Two commands matter: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What the gate measures, and the records that it holds it to. On real recordings in HARNESS_DATA.
GATE_TASKS ?= demo,esc10,fsdd
GATE_REFERENCE ?= results

.PHONY: demo test lint validator browser latex gate bench clean

demo: $(VENV)/installed  ## measure three encoders on sounds made on the fly; needs no network
	$(VENV)/bin/python -m harness run --tasks demo --model tiny --model random --model melspec \
		--results build/demo

test: $(VENV)/installed  ## the test suite
	$(VENV)/bin/python -m pytest

lint: $(VENV)/installed  ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

validator: $(VENV)/validator-installed  ## the official hear-validator on dasheng.hear (TensorFlow)
	$(VENV)/bin/python -m pytest -m validator

browser: $(VENV)/browser-installed  ## the report in Chromium or Chrome, which the machine has to have
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
		{ echo "expected chromium or google-chrome on the PATH, found neither; install one" >&2; exit 1; }
	$(VENV)/bin/python -m pytest -m browser

latex: $(VENV)/installed  ## the tables in LaTeX, set by pdflatex, which the machine has to have
	@command -v pdflatex || \
		{ echo "expected pdflatex on the PATH, found none; install TeX Live" >&2; exit 1; }
	$(VENV)/bin/python -m pytest -m latex

# A cache of its own: it is not keyed by this project's code, which is what is measured here.
gate: $(VENV)/installed  ## fail if a score of tiny or melspec drops below the committed records
	new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && \
	$(VENV)/bin/python -m harness run --model tiny --model melspec --tasks $(GATE_TASKS) \
		--protocols knn,linear --device cpu --cache "$$new/cache" --results "$$new/results" && \
	$(VENV)/bin/python -m harness check --models tiny,melspec --tasks $(GATE_TASKS) \
		--protocols knn,linear --results "$$new/results" --reference $(GATE_REFERENCE)

bench: $(VENV)/installed $(PEERS)/installed  ## speed as ratios against peers, in one run
	PEERS_PYTHON=$(PEERS)/bin/python $(VENV)/bin/python -m tests.bench

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[dev]'
	touch $@

$(VENV)/validator-installed: $(VENV)/installed
	$(PIP) -e '.[validator]'
	touch $@

$(VENV)/browser-installed: $(VENV)/installed
	$(PIP) -e '.[browser]'
	touch $@

# The published `dasheng` has this project's name: peers need an environment of their own.
$(PEERS)/installed:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		torch torchaudio soundfile dasheng==0.0.9 xares==0.1.3
	touch $@

clean:
	rm -rf $(VENV) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis
