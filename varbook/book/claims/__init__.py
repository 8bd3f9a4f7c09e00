"""What the papers claim, what came out here, and the verdict on each claim.

Read artefact.py first (a row of the registry and its checks), then save.py (what a chapter calls). The
rows are in registry_*.py; checks.py ties them to the chapters, verdicts.py has the four words, report.py
and readme.py write the generated pages: `python -m varbook.book.claims`.
"""
