"""What a result is worth: distances between sets, reconstruction, translation, use of the codebook.

Read card.py first: each number carries a card that says how it was measured. image_checks.py holds
what every measure checks of its input; fidelity.py has FID and its relatives, translation.py the
measures of the toy world, photographs.py those of real photographs.
"""
