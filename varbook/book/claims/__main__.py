"""Write the generated pages that come with the book again: `python -m varbook.book.claims`."""

import sys

from varbook.book.claims.readme import write_readme
from varbook.book.claims.report import write_report
from varbook.errors import ended
from varbook.paths import check_checkout, check_writable, only_in, published


def main() -> int:
    """Write REPORT.md and the README; 2 where there is no checkout, or it cannot be written."""
    check_writable(check_checkout(), "work in a copy of the checkout that can be written")
    with only_in(published()):
        print(write_report())
    print(write_readme())
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
