"""The package that the notebooks of varbook build: visual autoregressive models, from pixels to
translated photographs.
"""

__version__ = "0.1.0"
