"""The machine that a benchmark runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cpu() -> str:
    """Name of the processor and number of cores that this process may use."""
    return f"{processor()}, {len(os.sched_getaffinity(0))} cores"
