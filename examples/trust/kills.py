"""Processes killed in the midst of changes: at random times, and before and in the middle of writes. Is anything lost?

python examples/trust/kills.py --times 8 --writes 20

Each change is made to a copy of a hub in a process that is killed. Then the hub must open, be whole (verify), and hold what it
held before or what it holds after the change, nothing between; and take another model. Needs gcc for writes.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from forked import Ended, example_hub, forked, held, table_of, without_hub

import modelhub_sql
from modelhub_sql import upkeep

HERE = Path(__file__).parent


def on(change: Callable[[modelhub_sql.Hub], Any]) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        with modelhub_sql.connect(path) as hub:
            change(hub)

    return made


CHANGES: dict[str, Callable[[Path], Any]] = {
    "register": on(lambda hub: hub.register("new", table_of(700, 5))),
    "replace": on(lambda hub: hub.register("model 1", table_of(700, 6), replace=True)),
    "remove": on(lambda hub: hub.remove("model 2")),
    "append": on(lambda hub: hub.append("model 3", table_of(230, 7))),
    "update": on(lambda hub: hub.update("model 0", accuracy=0.5)),
    "upgrade": on(lambda hub: hub.upgrade()),
    "compact": lambda path: upkeep.compact(str(path)),
}


def preloaded() -> ctypes.CDLL | None:
    """The library that kills; this program starts itself once more with it, unless it can't be made."""
    library = Path(tempfile.gettempdir()) / f"iokill-{os.getuid()}-{(HERE / 'iokill.c').stat().st_mtime_ns}.so"
    if "iokill" in os.environ.get("LD_PRELOAD", ""):
        return ctypes.CDLL(os.environ["LD_PRELOAD"])
    if shutil.which("gcc") is None or sys.platform != "linux":
        return None
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, HERE / "iokill.c", "-ldl"], check=True)
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "LD_PRELOAD": str(library)})


class Trials:
    """A hub, what each change makes of it, and what kills left of it."""

    def __init__(self, folder: Path, library: ctypes.CDLL | None, seed: int) -> None:
        self.base, self.path, self.log = folder / "base.duckdb", folder / "hub.duckdb", folder / "writes.txt"
        self.library, self.rng = library, random.Random(seed)
        self.lost: list[dict[str, Any]] = []
        self.found: Counter[tuple[str, str, str]] = Counter()
        self.must(forked(lambda: example_hub(self.base)))

    @staticmethod
    def must(ended: Ended) -> Any:
        if ended.how != "ok":
            raise SystemExit(f"without a kill already: {ended}")
        return ended.value

    def fresh(self, change: str) -> None:
        without_hub(self.path)
        shutil.copy(self.base, self.path)
        if change == "upgrade":
            self.must(forked(self.outdate))

    def outdate(self) -> None:
        with duckdb.connect(str(self.path)) as con:
            con.execute("DROP SCHEMA _format CASCADE; UPDATE _hub.logic SET digest = 'another'")

    def change(self, change: str, at: int = 0, torn: bool = False) -> Callable[[], None]:
        def work() -> None:
            if self.library is not None:
                self.library.iokill_arm(str(self.path).encode(), at, int(torn), b"" if at else str(self.log).encode())
            CHANGES[change](self.path)

        return work

    def look(self, go_on: bool) -> dict[str, list[Any]]:
        """What a hub holds after a kill; go_on: also register a model."""
        with modelhub_sql.connect(self.path, read_only=True) as hub:
            if faults := upkeep.faults(hub):
                raise ValueError(f"not whole: {faults[0]}")
        found = held(self.path)
        if go_on:
            with modelhub_sql.connect(self.path) as hub:
                hub.register("after", like="model 0")
            if len(held(self.path)["models"]) != len(found["models"]) + 1:
                raise ValueError("took no other model")
        return found

    def judge(self, change: str, how: str, where: Any, before: Any, after: Any) -> None:
        ended = forked(lambda: self.look(go_on=self.rng.random() < 0.3))
        state = "before" if ended.value == before else "after" if ended.value == after else "lost"
        self.found[change, how, state] += 1
        if state == "lost":
            said = ended.value if isinstance(ended.value, str) else "another state"
            self.lost.append({"change": change, "how": how, "where": where, "ended": ended.how, "said": said})
            print(json.dumps(self.lost[-1]), flush=True)

    def run(self, change: str, times: int, writes: int) -> None:
        self.fresh(change)
        before = self.must(forked(lambda: held(self.path)))
        self.log.unlink(missing_ok=True)
        start = time.monotonic()
        self.must(forked(self.change(change)))
        seconds = time.monotonic() - start
        after = self.must(forked(lambda: held(self.path)))
        for trial in range(times):
            self.fresh(change)
            when = seconds * 1.1 * (trial + self.rng.random()) / times
            forked(self.change(change), kill_after=when)
            self.judge(change, "at a time", round(when, 3), before, after)
        steps = self.log.read_text().split() if self.log.exists() else []
        for how, places in (
            ("before a write", range(1, len(steps) + 1)),
            ("in a write", [at for at, what in enumerate(steps, 1) if "write" in what]),
        ):
            chosen = list(places) if len(places) <= writes else sorted(self.rng.sample(places, writes))
            for at in chosen:
                self.fresh(change)
                forked(self.change(change, at, how == "in a write"))
                self.judge(change, how, f"{at} of {len(steps)}: {steps[at - 1]}", before, after)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="kills of each change at random times")
    parser.add_argument("--writes", type=int, default=1000, help="at most so many before writes, and as many in writes")
    parser.add_argument("--changes", nargs="*", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    library = preloaded() if given.writes else None
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), library, given.seed)
        for change in given.changes:
            trials.run(change, given.times, given.writes)
            print(change, {f"{how}, {state}": n for (of, how, state), n in trials.found.items() if of == change}, flush=True)
    total = sum(trials.found.values())
    print(f"DuckDB {duckdb.__version__}: {total} kills, {len(trials.lost)} lost")
    return bool(trials.lost)


if __name__ == "__main__":
    raise SystemExit(main())
