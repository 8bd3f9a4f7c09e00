"""How fast the package is, measured.

| command | module | asks |
|---|---|---|
| `make bench` | `bench.py` | is it faster than the mathematics written out (`plain.py`)? |
| `make bench-against` | `against_commit.py` | is a training step faster than at another commit? |
| `make bench-threads` | `two_threads.py` | are two threads twice as fast? |
| `make bench-scaling` | `scaling.py` | how does cost grow with size? |
| `make bench-profile` | `profile_steps.py` | where does a training step spend its time? |

Start reading at `question.py` (what is timed, and how) and `questions.py` (all questions, and what is
wanted); `cases.py` and `worker.py` are the training steps that the other commands take.
"""
