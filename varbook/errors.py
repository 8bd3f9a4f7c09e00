"""The one kind of error that a reader of the book should ever see."""


class VarbookError(ValueError):
    """Says in one sentence what is wrong with the input and what to do about it."""
