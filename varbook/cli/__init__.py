"""The command `varbook` and its subcommands; read `main.py` first, then the one you want.

`main.py` holds the parser and nothing that takes time to import: `varbook --help` answers at once.
Each of `train.py`, `translate.py`, `generate.py`, `edit.py`, `figures.py` and `doctor.py` adds its
options to it and has a `run(options)` that returns the exit code; torch is imported in there.
`image_files.py`, `translate_files.py` and `drawing.py` are what they share.
"""
