"""What this machine can do at most, measured, and which class its processor belongs to."""

import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

SIDE = 2048  # of the square matrices
ROUNDS = 7

# Class of the processor -> the column of wanted ratios that applies to it.
COLUMNS = {
    "AVX2 only": "avx2",
    "AVX-512 without bfloat16": "avx2",
    "AVX-512 + bfloat16": "avx512",
    "AMX (AVX-512 + bfloat16, and matrix tiles)": "avx512",
    "a card": "card",
    "another processor": "",
}


def processor_class(device: torch.device) -> str:
    """Return the class of the processor, one of COLUMNS, by the instructions that torch finds."""
    if device.type == "cuda":
        return "a card"
    ask = getattr(torch.cpu, "get_capabilities", None)
    has: dict[str, bool] = ask() if ask else {}
    if has.get("amx_bf16") or has.get("amx_tile"):
        return "AMX (AVX-512 + bfloat16, and matrix tiles)"
    if has.get("avx512_bf16"):
        return "AVX-512 + bfloat16"
    if has.get("avx512") or has.get("avx512_f"):
        return "AVX-512 without bfloat16"
    return "AVX2 only" if has.get("avx2") else "another processor"


def processor_name(device: torch.device) -> str:
    """Return the maker's name of the processor or card."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine_facts(device: torch.device, threads: int) -> dict:
    """Return what a run is measured on: processor, its class and column, threads, torch, date."""
    kind = processor_class(device)
    return {
        "processor": processor_name(device),
        "class": kind,
        "column": COLUMNS[kind],
        "device": device.type,
        "threads": threads,
        "torch": torch.__version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def seconds_of(function: Callable[[], object], device: torch.device, rounds: int = ROUNDS) -> float:
    """Return the median seconds of a call, after one to warm up."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def limits(device: torch.device, side: int = SIDE) -> dict[str, float]:
    """Return the rates measured now: matrix products and 3 x 3 convolutions in GFLOP/s, in both
    precisions, and copying in GB/s (bytes read plus bytes written).

    A product in a precision for which the processor has no kernel may take minutes; it is then
    measured on small matrices.
    """
    found = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        n = side
        small = _square(256, dtype, device)
        slow = seconds_of(lambda x=small: x @ x, device, 1)
        if 2 * 256**3 / slow < 5e9 and device.type == "cpu":
            n = 256
        x = _square(n, dtype, device)
        found[name] = 2 * n**3 / seconds_of(lambda x=x: x @ x, device) / 1e9
        images = torch.randn(4, 64, max(n // 32, 8), max(n // 32, 8)).to(device, dtype)
        images = images.contiguous(memory_format=torch.channels_last)
        weight = torch.randn(64, 64, 3, 3).to(device, dtype)
        flops = 2 * 9 * 64 * images.numel()
        spent = seconds_of(lambda a=images, b=weight: torch.conv2d(a, b, padding=1), device)
        found[f"convolution {name}"] = flops / spent / 1e9
    source = torch.ones(side * side * 16, device=device)  # 256 MiB: more than a cache of one core
    target = torch.empty_like(source)
    bytes_moved = 2 * source.numel() * source.element_size()
    found["copy"] = bytes_moved / seconds_of(lambda: target.copy_(source), device) / 1e9
    return found


def _square(side: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.randn(side, side).to(device, dtype)
