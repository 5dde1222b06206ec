"""The machine and its processes while something is measured, as it is printed: load, CPU, memory, percentiles."""

from __future__ import annotations

import os
import platform
import resource
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def machine() -> str:
    """What the figures belong to."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {load()} at the start"
    )


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def p(figures: Sequence[float], percent: int) -> float:
    """The percentile, between neighbours; of two figures or more."""
    return statistics.quantiles(figures, n=100, method="inclusive")[percent - 1]


def seconds(pid: int) -> float:
    """User and system time of one process so far. The clock ticks in 10 ms."""
    return sum(_times(pid)[:2])


def family_seconds(pid: int) -> float:
    """With that of its children, those that ended included."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(_times(pid)) + sum(seconds(int(child)) for child in children)


def cpu_ns(pid: int) -> int:
    """Of a process of one thread, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def rss(pid: int | str = "self") -> int:
    """Resident memory now, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def peak_mb() -> float:
    """The highest resident memory of this process so far (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _times(pid: int) -> tuple[float, ...]:
    """utime, stime, cutime, cstime in seconds; zeros for a process that has just ended."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return (0.0, 0.0, 0.0, 0.0)
    return tuple(int(ticks) / _TICK for ticks in said[11:15])
