"""How fast the package is, measured against plain formulations, earlier commits and other sizes.

Start reading at `bench.py` (`make bench`); `against_commit.py` compares training steps of two
commits (`make bench-against`), `cases.py` says what is trained there, `worker.py` trains it.
"""
