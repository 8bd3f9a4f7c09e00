"""Running the book: `make figures` and `make test` go through here.

Read run.py first: it checks every parameter, lets Snakemake run the notebooks and writes the
report. plan.py lists the notebooks and what became of each, parameters.py reads their parameters
cells, guard.py ends what a run started, clean.py cleans executed notebooks for the repository,
machine.py checks this machine.
"""
