# Two commands on a fresh machine: `make figures` and `make test`. Both set themselves up first; `make help` lists the rest.
VENV ?= .venv
BOOK_VENV ?= .venv-book
PROFILE ?=
ONLY ?=
SET ?=
JOBS ?=
FORCE ?=
RETRAIN ?=

# Whichever checkout calls it, a shared environment runs this checkout's code.
override VENV := $(if $(filter /%,$(VENV)),$(VENV),$(CURDIR)/$(VENV))
override BOOK_VENV := $(if $(filter /%,$(BOOK_VENV)),$(BOOK_VENV),$(CURDIR)/$(BOOK_VENV))
# Recipes name them by these variables: the shell takes what is in them as it is, quotes and dollar signs too.
export HERE_VENV := $(VENV)
export HERE_BOOK_VENV := $(BOOK_VENV)
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
export PATH := $(VENV)/bin:$(PATH)
export PYTHONUNBUFFERED := 1
export BOOK_VENV
SOURCES := varbook tests data_scripts benchmarks docs/book conftest.py
PYTHON_HERE := "$$HERE_VENV/bin/python"
RUN := $(PYTHON_HERE) -m varbook.runner.run
yes = $(filter-out 0 no false,$(1))
options = $(if $(PROFILE),--profile $(PROFILE)) $(if $(ONLY),--only "$(ONLY)") $(foreach one,$(SET),--set '$(one)') \
  $(if $(JOBS),--jobs $(JOBS)) $(if $(call yes,$(FORCE)),--force) $(if $(call yes,$(RETRAIN)),--retrain)

.PHONY: help setup check figures test unit browser-setup browser notebooks-test publish notebooks report book bench bench-against bench-threads bench-scaling bench-profile \
  mutants faults lab clean

help:
	@echo "make figures               every notebook, figure and table into figures/mine/, compared with what comes with the book"
	@echo "  PROFILE=smoke|laptop|gpu|paper   sizes (default laptop)      ONLY=09 or ONLY=02,03   these chapters alone"
	@echo "  FORCE=1   also what is up to date    RETRAIN=1   train shipped models again     SET=name=value   a parameter"
	@echo "  JOBS=2    notebooks at a time        VENV=path   an environment to share between clones (default .venv)"
	@echo "make check                 lint, format and types, in seconds: ruff and mypy"
	@echo "make test                  unit tests, then every notebook in the smoke profile (nbval)"
	@echo "make unit                  the unit tests alone              make lab       JupyterLab"
	@echo "make browser               the tests in a browser alone; installs Chromium and playwright for them"
	@echo "make publish               the same, and change what comes with the book: figures/<profile>/, notebooks/, README.md"
	@echo "make report                figures/REPORT.md, README again   make bench     how fast it is, beside plain forms"
	@echo "make bench-against         training steps beside those of COMMIT=6a24e5b     make bench-threads   two threads, one"
	@echo "make bench-scaling         what size costs                   make bench-profile   where a step's time goes"
	@echo "make book                  the book as a web page in build/site, from the kept outputs; nothing is run"
	@echo "make mutants               harms the code in many small ways; docs/mutants.md says which test notices each (hours)"
	@echo "make faults                kills trainings at many moments, calls functions with absurd arguments; docs/faults.md (minutes)"
	@echo "make clean                 remove build/ and figures of smoke (never the environment or trained models)"

setup:
	@.ci/setup "$$HERE_VENV"

figures: setup
	@$(RUN) $(options)

# All three run, and any that fails fails the whole: one call shows everything there is to mend.
check: setup
	@code=0; "$$HERE_VENV/bin/ruff" check $(SOURCES) notebooks || code=1; "$$HERE_VENV/bin/ruff" format --check $(SOURCES) notebooks || code=1; \
	  "$$HERE_VENV/bin/mypy" || code=1; exit $$code

# Both halves run, and either failing fails the whole.
test: setup
	@code=0; $(MAKE) --no-print-directory unit || code=1; $(MAKE) --no-print-directory notebooks-test || code=1; exit $$code

# Those in a browser come last; where Chromium or what they need is missing they are skipped, and the summary says so.
unit: setup
	@VARBOOK_PROFILE=smoke VARBOOK_BATCH=1 $(PYTHON_HERE) -m pytest

browser-setup: setup
	@.ci/browser "$$HERE_VENV"

browser: browser-setup
	@VARBOOK_PROFILE=smoke VARBOOK_BATCH=1 $(PYTHON_HERE) -m pytest -m browser

notebooks-test: setup
	@$(RUN) --check --solutions --profile smoke $(if $(ONLY),--only "$(ONLY)") $(if $(JOBS),--jobs $(JOBS))

# For those who write the book.
publish: setup
	@$(RUN) $(options) --solutions --publish

# Its earlier name.
notebooks: publish

report: setup
	@$(PYTHON_HERE) -m varbook.book.claims

# The site needs neither torch nor the rest of the usual environment, so it has a small one of its own. The page that translates in
# the browser is made where the usual one is there as well, and npm to fetch onnxruntime-web; else it says what is missing.
book:
	@.ci/setup "$$HERE_BOOK_VENV" docs/book/requirements.txt
	@"$$HERE_BOOK_VENV/bin/python" -m varbook.book.site

bench: setup
	@$(PYTHON_HERE) -m benchmarks.bench $(if $(ONLY),--only "$(ONLY)")

# Training steps of this checkout and of another commit in turns.
COMMIT ?= 6a24e5b
bench-against: setup
	@$(PYTHON_HERE) -m benchmarks.against_commit --commit $(COMMIT) $(if $(ONLY),--only "$(ONLY)")

# Training steps with two threads and with one in turns.
bench-threads: setup
	@$(PYTHON_HERE) -m benchmarks.two_threads $(if $(ONLY),--only "$(ONLY)")

# What size costs: docs/scaling.md.
bench-scaling: setup
	@$(PYTHON_HERE) -m benchmarks.scaling $(if $(ONLY),--only "$(ONLY)")

# Where a training step spends its time: docs/where_time_goes.md.
bench-profile: setup
	@$(PYTHON_HERE) -m benchmarks.profile_steps $(if $(ONLY),--only "$(ONLY)")

# Harms the code in one small way after the other, and asks whether a test notices: an hour or two.
mutants: setup
	@$(PYTHON_HERE) tests/mutation/mutants.py

# Kills small trainings at many moments, and sees whether they go on to the same bits (docs/faults.md, a quarter of an hour);
# calls public functions with absurd arguments (ten minutes; needs hypothesis).
faults: setup
	@code=0; $(PYTHON_HERE) tests/faults/kill_trainings.py || code=1; $(PYTHON_HERE) tests/faults/public_functions.py || code=1; exit $$code

lab: setup
	@$(PYTHON_HERE) -m jupyterlab notebooks

clean:
	rm -rf build figures/smoke figures/mine/smoke .pytest_cache .ruff_cache .mypy_cache
	find varbook tests -name __pycache__ -type d -prune -exec rm -rf {} +
