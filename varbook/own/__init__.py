"""A reader's own pictures: from two folders to a translator, within a time that the reader names.

Read train.py first: it calls the others in order. folder.py looks at what is there, plan.py fits
the book's three trainings into the time, task.py makes a task of the book out of the pictures,
report.py says how good the result is. choose.py and live.py are what a notebook (chapter 14) shows
beside that: a box for the folder, and curves and sheets while a training runs.
"""
