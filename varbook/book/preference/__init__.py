"""The blinded preference study of CycleVAR table 2.

Read study.py first: a study is folders of pictures and a file of votes. ballot.py is the widget
that asks, statistics.py counts, methods.py fills a study with the book's own methods.
"""
