"""For pytest and nbval: the smoke profile, nobody watching (nbval injects no parameters; its
kernels inherit these).
"""

import os

os.environ.setdefault("VARBOOK_PROFILE", "smoke")
os.environ.setdefault("VARBOOK_BATCH", "1")
