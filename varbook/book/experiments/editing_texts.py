"""The sentences of the editing verdicts (FlexVAR figures 8 to 10), written from what was measured."""

from collections.abc import Mapping

EDITS = ("in", "out", "elephant")  # painting inside a hole, around a window, another animal
TAKEN = "taken for its class"
Measured = Mapping[str, Mapping]


def known_decibels(painting: Measured) -> dict[str, tuple[float, float]]:
    """Return edit -> PSNR in dB of the known pixels: without pasting, and of the tokenizer alone."""
    names = ("known pixels, dB", "known pixels, tokenizer alone, dB")
    return {edit: (painting[edit][names[0]], painting[edit][names[1]]) for edit in EDITS}


def painting_texts(painting: Measured) -> tuple[str, str]:
    """Return what was measured and why of painting in and out: kind of picture -> measures."""
    share = {name: values[TAKEN] for name, values in painting.items()}
    pairs = [f"{edit} {share[edit]:.0%} / {share[f'{edit}: masked']:.0%}" for edit in EDITS]
    decibels = [
        f"{e} {known:.1f} / {own:.1f}" for e, (known, own) in known_decibels(painting).items()
    ]
    leaking = [f"{edit} {share[f'{edit}, whole picture encoded']:.0%}" for edit in EDITS]
    ours = f"accuracy of the judge, painted / masked: {', '.join(pairs)} (real pictures {share['real']:.0%})"
    why = (
        f"known pixels, without pasting / the tokenizer's own, in dB: {', '.join(decibels)}; "
        f"encoding the whole picture, as VAR does, would give {', '.join(leaking)}"
    )
    return ours, why


def extension_texts(extension: Mapping, fd_name: str) -> tuple[str, str]:
    """Return what was measured and why of pictures that were made wider; `fd_name` is the name of
    the distance between sets, such as "FD-toy".
    """
    ratio, fd = extension["seam"], extension[fd_name]
    ours = (
        f"steps across the seam {ratio['extended']:.2f} times those elsewhere "
        f"(real wide scenes {ratio['real']:.2f}, "
        f"other borders of cells {extension['borders of cells']:.2f}, "
        f"grey sides {ratio['grey sides']:.1f}); "
        f"centre {extension['centre, dB']:.1f} dB, "
        f"tokenizer alone {extension['centre, tokenizer alone, dB']:.1f}; "
        f"{fd_name} {fd['extended']:.2f}, grey sides {fd['grey sides']:.2f}"
    )
    recognised, real = extension[TAKEN], extension[f"{TAKEN}, real"]
    why = (
        f"decoded real wide scenes have {fd_name} {fd['decoded']:.2f}; "
        f"recognised {recognised:.0%} (real {real:.0%})"
    )
    return ours, why


def refining_text(kinds: Measured, distance: str, fd_name: str) -> str:
    """Return PSNR, the perceptual distance named `distance`, and the distance between sets named
    `fd_name` of one refinement: refined, bicubic, and the ceiling that the tokenizer sets.
    """
    three = [kinds[kind] for kind in ("refined", "bicubic", "ceiling: decoded truth")]
    names = ("refined", "bicubic", "ceiling")
    psnr = [f"{row['PSNR, dB']:.1f} {name}" for row, name in zip(three, names, strict=True)]
    others = [
        f"{key} {', '.join(f'{row[key]:.2f}' for row in three)}" for key in (distance, fd_name)
    ]
    return f"PSNR {', '.join(psnr)}; {'; '.join(others)}"
