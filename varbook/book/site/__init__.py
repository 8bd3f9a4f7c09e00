"""The book as a web page: `make book` writes the pages' sources from the kept notebooks and has
Sphinx make the site. Nothing is executed, and nothing here imports torch.

Read `stage.py` first: it says which page is made of what. `docs/book` holds the theme's settings.
"""
