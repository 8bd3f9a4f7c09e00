"""What only the book needs, in subpackages; each imports only from those before it.

    show         what a notebook imports to show things
    models       the tasks, the profiles, and one function for each kind of trained model
    claims       what the papers say, what we measured, and the verdict
    experiments  trained rows of the papers' tables, whose numbers are kept
    preference   the blinded study of CycleVAR table 2

Read chapters.py first (what each chapter is for), then models/tasks.py and models/build.py.
"""
