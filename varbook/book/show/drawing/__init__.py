"""Explanatory drawings, all in one style: what a model's parts are and how data flow through them.

Read canvas.py first (boxes, grids, arrows, texts on a light panel that suits bright and dark pages),
then any of the others: one function, one drawing. Sizes and counts come from the schedules,
configurations and modules that a notebook passes; nothing is typed.
"""
