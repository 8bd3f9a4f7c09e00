"""Experiments whose numbers are kept in run records, while their models are not.

Read cyclevar_ablations.py first: each row of a table is one entry of a dictionary, and one function
trains and measures it. flexvar_ablations.py is its sister, translator_rivals.py holds other methods
against CycleVAR, streets_and_flat.py keeps what chapter 11 shows beside the toy world.
"""
