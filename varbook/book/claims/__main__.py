"""Write the generated pages again: `python -m varbook.book.claims [profile]`."""

import sys

from varbook.book.claims.readme import write_readme
from varbook.book.claims.report import write_report

if __name__ == "__main__":
    print(write_report(*sys.argv[1:2]))
    print(write_readme())
