"""`python -m varbook` is the command `varbook`."""

import sys

from varbook.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
