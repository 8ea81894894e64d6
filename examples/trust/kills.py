"""Processes killed in the midst of changes: at random times, and before and in the middle of writes. Is anything lost?

python examples/trust/kills.py --times 8 --writes 20

Each change is made to a copy of a hub in a process that is killed. Then the hub must open, be whole (verify), and hold what it
held before or what it holds after the change, nothing between; a file that the change makes is whole, or not there. What was not
done is done once more, and where it was, a model is registered: what the killed process has left is in nobody's way, though each
process has the same number, as in a container. Needs gcc for writes.
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
from forked import Ended, example_hub, forked, held, table_of

import modelhub_sql
from modelhub_sql import upkeep

HERE = Path(__file__).parent
#: A hub, a file that is not there yet and a hub that stays as it is -> the change.
Change = Callable[[Path, Path, Path], Any]


def on(change: Callable[[modelhub_sql.Hub], Any], **given: Any) -> Change:
    def made(path: Path, new: Path, other: Path) -> None:
        with modelhub_sql.connect(path, **given) as hub:
            change(hub)

    return made


def imported(path: Path, new: Path, other: Path) -> None:
    with modelhub_sql.connect(path) as hub:
        hub.import_hub(other)


ROWS = [
    {"name": "model 1", "dataset": table_of(300, 8)},
    {"name": "model 2", "dataset": table_of(580, 2), "accuracy": 0.7},
    {"name": "new", "dataset": table_of(200, 9)},
]
CHANGES: dict[str, Change] = {
    "init": lambda path, new, other: modelhub_sql.connect(path, partition_size=100).close(),
    "register": on(lambda hub: hub.register("new", table_of(700, 5))),
    "replace": on(lambda hub: hub.register("model 1", table_of(700, 6), replace=True)),
    "remove": on(lambda hub: hub.remove("model 2")),
    "append": on(lambda hub: hub.append("model 3", table_of(230, 7))),
    "update": on(lambda hub: hub.update("model 0", accuracy=0.5)),
    "alias": on(lambda hub: hub.alias("model 0", "champion")),
    "sync": on(lambda hub: hub.sync(ROWS, remove=True)),
    "set": on(lambda hub: hub.set(min_overlap=0.25)),
    "record": on(lambda hub: hub.record("model 1", table_of(300, 1), 0.8, source="a target")),
    "import": imported,
    "swap": on(lambda hub: hub.register("new", table_of(700, 5)), swap=True),
    "upgrade": on(lambda hub: hub.upgrade()),
    "compact": lambda path, new, other: upkeep.compact(str(path)),
    "backup": lambda path, new, other: upkeep.backup(str(path), str(new)),
    "rescue": lambda path, new, other: upkeep.rescue(str(path), str(new)),
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
    """Hubs, what each change makes of them, and what kills left of them."""

    def __init__(self, folder: Path, library: ctypes.CDLL | None, seed: int) -> None:
        self.base, self.other, self.log = folder / "base.duckdb", folder / "other.duckdb", folder / "writes.txt"
        self.place = folder / "place"
        self.path, self.new = self.place / "hub.duckdb", self.place / "new.duckdb"
        self.library, self.rng = library, random.Random(seed)
        self.lost: list[dict[str, Any]] = []
        self.found: Counter[tuple[str, str, str]] = Counter()
        self.must(forked(lambda: example_hub(self.base)))
        self.must(forked(self.make_other))

    @staticmethod
    def must(ended: Ended) -> Any:
        if ended.how != "ok":
            raise SystemExit(f"without a kill already: {ended}")
        return ended.value

    def make_other(self) -> None:
        with modelhub_sql.connect(self.other, partition_size=100) as hub:
            hub.register("other", table_of(300, 4))
            hub.register("other", like="other", version="2")

    def fresh(self, change: str) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        if change != "init":
            shutil.copy(self.base, self.path)
        if change == "upgrade":
            self.must(forked(self.outdate))

    def outdate(self) -> None:
        with duckdb.connect(str(self.path)) as con:
            con.execute("DROP SCHEMA _format CASCADE; UPDATE _hub.logic SET digest = 'another'")

    def change(self, change: str, at: int = 0, torn: bool = False) -> Callable[[], None]:
        def work() -> None:
            os.getpid = lambda: 7
            if self.library is not None:
                self.library.iokill_arm(f"{self.place}/".encode(), at, int(torn), b"" if at else str(self.log).encode())
            CHANGES[change](self.path, self.new, self.other)

        return work

    def holds(self) -> list[Any]:
        """What the hub and the new file hold; None where there is none. Raises ValueError where one is not whole."""
        for path in (self.path, self.new):
            if path.exists():
                with modelhub_sql.connect(path, read_only=True) as hub:
                    if faults := upkeep.faults(hub):
                        raise ValueError(f"{path.name} is not whole: {faults[0]}")
        return [held(path) if path.exists() else None for path in (self.path, self.new)]

    def look(self, change: str, before: Any, after: Any) -> str:
        """Which of the two states there is; what was not done can be done, and a model be registered where it was."""
        os.getpid = lambda: 7
        found = self.holds()
        if found == before:
            CHANGES[change](self.path, self.new, self.other)
            if self.holds() != after:
                raise ValueError("done once more, it is another state")
        elif found == after:
            with modelhub_sql.connect(self.path) as hub:
                hub.register("after", table_of(30, 1))
            if len(self.holds()[0]["models"]) != len(found[0]["models"]) + 1:
                raise ValueError("took no other model")
        else:
            raise ValueError("another state")
        return "before" if found == before else "after"

    def judge(self, change: str, how: str, where: Any, before: Any, after: Any) -> None:
        ended = forked(lambda: self.look(change, before, after))
        self.found[change, how, ended.value if ended.how == "ok" else "lost"] += 1
        if ended.how != "ok":
            self.lost.append({"change": change, "how": how, "where": where, "ended": ended.how, "said": ended.value})
            print(json.dumps(self.lost[-1]), flush=True)

    def run(self, change: str, times: int, writes: int) -> None:
        self.fresh(change)
        before = self.must(forked(self.holds))
        self.log.unlink(missing_ok=True)
        start = time.monotonic()
        self.must(forked(self.change(change)))
        seconds = time.monotonic() - start
        steps = self.log.read_text().splitlines() if self.log.exists() else []
        after = self.must(forked(self.holds))
        for trial in range(times):
            self.fresh(change)
            when = seconds * 1.1 * (trial + self.rng.random()) / times
            forked(self.change(change), kill_after=when)
            self.judge(change, "at a time", round(when, 3), before, after)
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
    parser.add_argument("--writes", type=int, default=10**6, help="at most so many before writes, and as many in writes")
    parser.add_argument("--changes", nargs="*", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    library = preloaded() if given.writes else None
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), library, given.seed)
        for change in given.changes:
            trials.run(change, given.times, given.writes)
            print(change, {f"{how}, {state}": n for (of, how, state), n in trials.found.items() if of == change}, flush=True)
    kinds = Counter(how for (_, how, _), n in trials.found.items() for _ in range(n))
    told = ", ".join(f"{n} {how}" for how, n in kinds.items())
    print(f"DuckDB {duckdb.__version__}: {sum(kinds.values())} kills ({told}), {len(trials.lost)} lost")
    return bool(trials.lost)


if __name__ == "__main__":
    raise SystemExit(main())
