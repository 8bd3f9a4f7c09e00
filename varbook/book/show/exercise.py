"""Exercises that check themselves: an answer is missing, right, or not right yet; the notebook runs
on in every case.
"""

from collections.abc import Callable


def self_check(name: str, answer: object, right: Callable[[object], bool] | object) -> None:
    """Print whether `answer` is right: equal to `right`, or accepted by it where it is a function.
    None: not answered.
    """
    if answer is None:
        print(f"{name}: not answered yet")
        return
    try:
        good = bool(right(answer)) if callable(right) else bool(answer == right)
    except Exception as error:  # a wrong answer may break the check itself; the reader learns how
        print(f"{name}: not right yet ({type(error).__name__}: {error})")
        return
    print(f"{name}: {'right' if good else 'not right yet'}")
