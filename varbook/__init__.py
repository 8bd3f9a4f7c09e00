"""The package behind the notebooks: visual autoregressive models, from pixels to translated images.

The subpackages, in the order in which data flows: world, data, features, tokenizer, transformer,
generate, translate, train, evaluate, pretrained, book, own, runner, cli. Each imports only from
those before it, and its `__init__` says which file to read first.
"""

__version__ = "0.1.0"
