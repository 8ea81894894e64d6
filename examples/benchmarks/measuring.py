"""What the benchmarks share: contestants timed side by side, peak memory, Markdown reports."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"
OMITTED = "-"

Contestants = Mapping[str, Callable[[], Any]]


class Timing(NamedTuple):
    """Seconds of the first call, the median of the later ones (of the first where it is the only one), the last result."""

    first: float
    median: float
    runs: int
    result: Any


def side_by_side(contestants: Contestants, repeats: int = 5, budget: float = 6.0) -> dict[str, Timing]:
    """Run the contestants in turn, ``1 + repeats`` rounds; who has used ``budget`` seconds sits out the later rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    results: dict[str, Any] = {}
    for _ in range(1 + repeats):
        for name, run in contestants.items():
            if sum(seconds[name]) < budget:
                started = time.perf_counter()
                results[name] = run()
                seconds[name].append(time.perf_counter() - started)
    return {
        name: Timing(taken[0], statistics.median(taken[1:] or taken), len(taken), results[name])
        for name, taken in seconds.items()
    }


def peer(module: str) -> Any | None:
    """A module of another project, or None where it is not installed."""
    os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: a child process inherits its parent's peak there.
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def in_a_process(program: str, *arguments: str, timeout: float = 120.0) -> dict[str, Any]:
    """Run a program of this folder; what it prints last is a JSON object. Otherwise ``error`` says what went wrong."""
    call = [sys.executable, program, *arguments]
    try:
        done = subprocess.run(call, capture_output=True, encoding="utf-8", check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {timeout:.0f} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def ratio(timing: Timing | None, reference: Timing) -> str:
    """How often the time of ``reference`` fits into a time; a dash where there is none."""
    return OMITTED if timing is None else f"{number(timing.median / reference.median)} x"


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def arguments(description: str | None, **sizes: tuple[Sequence[Any], Sequence[Any], str]) -> argparse.Namespace:
    """``--full``, and an option for each of sizes: its values without --full, with it, and what it means."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the full sizes: a few minutes")
    parser.add_argument("--repeats", type=int, default=5, help="rounds after the first")
    parser.add_argument("--budget", type=float, default=6.0, help="seconds after which a contestant is not run again")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write the Markdown to")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    for name, (small, full, meaning) in sizes.items():
        shown = f"{meaning} ({' '.join(map(str, small))}; --full: {' '.join(map(str, full))})"
        parser.add_argument(f"--{name.replace('_', '-')}", nargs="+", type=type(small[0]), help=shown)
    given = parser.parse_args()
    for name, (small, full, _) in sizes.items():
        if getattr(given, name) is None:
            setattr(given, name, list(full if given.full else small))
    return given


class Report:
    """A Markdown page, printed as it grows and written at the end."""

    def __init__(self, title: str, full: bool, packages: Sequence[str] = ()) -> None:
        self._blocks: list[str] = []
        self._add(f"# {title}")
        self._add("Full sizes." if full else "Small sizes: to see that the program works; no result.")
        versions = [f"Python {platform.python_version()}", f"{os.cpu_count()} cores"]
        absent = []
        for package in ("duckdb", "numpy", *packages):
            try:
                versions.append(f"{package} {importlib.metadata.version(package)}")
            except importlib.metadata.PackageNotFoundError:
                absent.append(package)
        self._add(f"{platform.system()} {platform.machine()}, " + ", ".join(versions) + ".")
        if absent:
            self._add(f"Not installed, so left out: {', '.join(absent)}.")

    def _add(self, block: str) -> None:
        self._blocks.append(block)
        print(block, end="\n\n", flush=True)

    def table(self, heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
        """A section with a table, and what has to be said to read it."""
        lines = ["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *rows)]
        self._add(f"## {heading}")
        self._add("\n".join(lines))
        if note:
            self._add(note)

    def write(self, folder: Path, name: str) -> None:
        """Keep the page as ``name``.md."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath(f"{name}.md").write_text("\n\n".join(self._blocks) + "\n", encoding="utf-8")
