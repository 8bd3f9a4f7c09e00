"""Write the generated pages again: `python -m varbook.book.claims [profile]`."""

import sys

from varbook.book.claims.readme import write_readme
from varbook.book.claims.report import write_report
from varbook.errors import ended
from varbook.paths import check_checkout, check_writable, figures


def main() -> int:
    """Write REPORT.md and the README; 2 where there is no checkout, or it cannot be written."""
    check_writable(check_checkout(), "work in a copy of the checkout that can be written")
    check_writable(figures(), "name another folder in VARBOOK_FIGURES")
    print(write_report(*sys.argv[1:2]))
    print(write_readme())
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
