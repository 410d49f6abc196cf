"""Paired runs, medians, and how a figure is said."""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

WEEK = Path(__file__).parent.parent / "tests" / "data" / "online-retail-week"
"""The week that the project carries."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured on, and how often: `runs` pairs of ours and the yardstick."""

    folder: Path
    full: bool
    runs: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; `ratio` is ours over the yardstick, or ours over the target where seconds are the target."""

    name: str
    n: int
    ours_s: float
    yardstick: str
    yardstick_s: float
    ratio: float
    target: float
    ok: bool
    peak_mib: int | None


def figure(
    name: str,
    n: int,
    pairs: Iterable[tuple[float, float]],
    *,
    yardstick: str,
    target: float,
    peak_mib: int | None = None,
    most_mib: int = 768,
) -> Figure:
    """Sum up paired runs as (ours, yardstick) seconds: medians of both, and of their ratios."""
    ours, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    fits = ratio <= target and (peak_mib is None or peak_mib <= most_mib)
    return Figure(
        name,
        n,
        _short(statistics.median(ours)),
        yardstick,
        _short(statistics.median(theirs)),
        _short(ratio),
        target,
        fits,
        peak_mib,
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")


@dataclass(slots=True)
class Report:
    full: bool
    exit_code: int = 0
    figures: list[Figure] = field(default_factory=list)

    def add(self, found: Figure) -> None:
        print(json.dumps(asdict(found)), flush=True)
        allowed = found.target if self.full else 1.5 * found.target
        is_too_large = found.ratio <= found.target and not found.ok
        if found.ratio > allowed or is_too_large:
            self.exit_code = 1


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_mib_of_family(root: int | None = None) -> int:
    """Return the highest resident size that any living process from `root` down has had, in MiB."""
    mine = _children(root or os.getpid())
    return max((_high_water(pid) for pid in mine), default=0) // 1024


def _children(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(folder.name))
    family, found = [root], []
    while family:
        found.append(pid := family.pop())
        family += parents.get(pid, [])
    return found


def _high_water(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
