"""All questions by their keys, and what is wanted of their answers."""

from collections.abc import Callable
from functools import partial

from benchmarks import drawing, kernels, steps, world
from benchmarks.question import Question

QUESTIONS: dict[str, Callable[[bool], Question]] = {
    "generation": drawing.generation,
    "translation": drawing.translation,
    "next-scale": steps.next_scale,
    "next-scale-32": steps.next_scale_32,
    "tokenizer": steps.tokenizer_step,
    "cyclevar": steps.cyclevar_step,
    "srq": kernels.srq,
    "nearest": kernels.nearest_code,
    "pyramid": kernels.pyramid,
    "attention": kernels.attention,
    "attention-forward": partial(kernels.attention, backward=False),
    "head": kernels.head_with_loss,
    "world": world.toy_world,
    "loading": world.loading,
}

# (question, candidate) -> class of processor (`machine.COLUMNS`) -> how many times as fast as the
# question's first candidate it is wanted to be.
WANTED: dict[tuple[str, str], dict[str, float]] = {
    ("generation", "varbook"): {"avx2": 1.15, "avx512": 2.0},
    ("generation", "varbook, bfloat16"): {"avx512": 3.0},
    ("next-scale", "varbook"): {"avx2": 1.2, "avx512": 1.4},
    ("next-scale", "varbook, bfloat16"): {"avx512": 2.2},
    ("srq", "varbook"): {"avx2": 1.6, "avx512": 2.2},
    ("nearest", "varbook"): {"avx2": 1.4, "avx512": 3.0},
    ("attention", "varbook"): {"avx2": 1.2, "avx512": 1.4},
}
# The same against another candidate than the first: (question, candidate, other) -> ...
WANTED_AGAINST: dict[tuple[str, str, str], dict[str, float]] = {
    ("nearest", "varbook", "vector-quantize-pytorch"): {"avx2": 5.0, "avx512": 10.0},
}
# (question, candidate) -> MiB beyond its inputs that it may take at most.
WANTED_MEMORY: dict[tuple[str, str], float] = {("srq", "varbook"): 90.0}
# (question, candidate) -> share of the first candidate's memory that it may take at most.
WANTED_SHARE: dict[tuple[str, str], float] = {
    ("next-scale-32", "varbook"): 0.5,
    ("next-scale-32", "varbook, bfloat16"): 0.5,
}
# Questions whose memory is measured, each candidate in a fresh process.
MEMORY = (
    "generation",
    "next-scale-32",
    "tokenizer",
    "cyclevar",
    "srq",
    "nearest",
    "attention",
    "head",
)
