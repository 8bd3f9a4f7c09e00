"""The exercises of chapters, as checks that run the reader's function and say what is wrong with it.

Read checking.py first; each other module holds the exercises of one chapter, out of the reader's
sight: the notebook shows the question, the solutions notebook the answer.
"""
