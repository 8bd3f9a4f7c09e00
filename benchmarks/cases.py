"""The trainings whose steps are timed: sizes, loops, and what makes a loop skip its first phase.

A case is plain JSON, since it is sent to processes that run other commits; fields have today's
names. The sizes stand here and not in the profiles, so that a time taken now can be compared with
one taken after the profiles have changed.
"""

FIRST_STEP = 200  # past the warm-up of a tokenizer and the identity steps of CycleVAR; logged, too

SIZES: dict[str, dict] = {
    # The toy world in the laptop profile of commit 6a24e5b.
    "laptop": {
        "image_size": 64,
        "tokenizer": {
            "schedule": [1, 2, 3, 4, 5, 6, 8],
            "vocab_size": 512,
            "code_dim": 16,
            "channels": [24, 64, 96],
        },
        "model": {"depth": 4, "width": 192, "heads": 6, "classes": 14},
        "batch": {"tokenizer": 8, "next_scale": 16, "cyclevar": 4},
    },
    # The papers' latent of 16 x 16 and their ten scales, 680 tokens, on pictures of 64 pixels.
    "papers": {
        "image_size": 64,
        "tokenizer": {
            "schedule": [1, 2, 3, 4, 5, 6, 8, 10, 13, 16],
            "vocab_size": 1024,
            "code_dim": 16,
            "channels": [48, 96],
        },
        "model": {"depth": 4, "width": 192, "heads": 6, "classes": 14},
        "batch": {"tokenizer": 8, "next_scale": 8, "cyclevar": 4},
    },
    # For tests: a step takes milliseconds.
    "tiny": {
        "image_size": 32,
        "tokenizer": {
            "schedule": [1, 2, 4],
            "vocab_size": 32,
            "code_dim": 8,
            "channels": [16, 16, 16],
        },
        "model": {"depth": 1, "width": 32, "heads": 2, "classes": 14},
        "batch": {"tokenizer": 2, "next_scale": 2, "cyclevar": 1},
    },
}

# Name -> the loop, and what its training sets beside batch and number of steps.
LOOPS: dict[str, dict] = {
    "tokenizer": {"loop": "tokenizer", "training": {"warmup": FIRST_STEP, "gan": 0.0}},
    "tokenizer with GAN": {"loop": "tokenizer", "training": {"warmup": FIRST_STEP, "gan_start": 0}},
    "next-scale (VAR)": {"loop": "next_scale", "training": {}},
    "next-scale (FlexVAR)": {
        "loop": "next_scale",
        "training": {"step_sampling": True, "max_steps": 10},
        "ground_truth": True,
    },
    "CycleVAR": {"loop": "cyclevar", "training": {}},
}


def case(size: str, loop: str) -> dict:
    """Return the case of a row of SIZES and one of LOOPS as plain JSON."""
    sizes, chosen = SIZES[size], LOOPS[loop]
    tokenizer = dict(sizes["tokenizer"])
    if chosen.get("ground_truth"):
        tokenizer |= {"pyramid": "ground_truth", "normalise": True}
    shared = ("schedule", "vocab_size", "code_dim")
    model = sizes["model"] | {name: tokenizer[name] for name in shared}
    if chosen.get("ground_truth"):
        model |= {"positions": "scalable", "step_embedding": False}
    return {
        "name": f"{loop}, {size}",
        "loop": chosen["loop"],
        "image_size": sizes["image_size"],
        "tokenizer": tokenizer,
        "model": model,
        "training": chosen["training"] | {"batch": sizes["batch"][chosen["loop"]]},
        "first_step": FIRST_STEP,
    }
