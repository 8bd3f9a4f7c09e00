"""A reader's own pictures: from two folders to a translator, within a time that the reader names.

`folder` looks at what is there, `plan` fits the book's three trainings into the time, `train` runs
them and says how good the result is. Read `train` first: it calls the others in order.
"""
