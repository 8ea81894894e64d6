"""Made-up schemas, values, names, options, files and verbs, through Python and the command: is every error one of ours?

python examples/trust/fuzz.py 2000 --seed 1        python examples/trust/fuzz.py --seed 1 --case 371   (one of them again)

A case is made from the seed and its number alone. Right is an answer, or an error of ModelHub that leaves the models as they
were; of the command the exit codes 0, 1 and 2. Wrong is any other error, a crash, more than two minutes, a hub that is not whole.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import json
import math
import os
import random
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from click.testing import CliRunner
from forked import forked, table_of

import modelhub_sql
from modelhub_sql.cli import main as command
from modelhub_sql.result import Sketch

#: Cases on one hub, one after the other.
BATCH = 250
NAMES = [
    "x", "y", "word", "", " ", '"', "'", "a.b", "NULL", "x'; DROP TABLE t; --", 'x" y', "é", "名前", "😀", "a\nb", "tab\t",
    "\x1b[31m",
    "%", "*", "_", "x?", "rowid", "feature", "kind", "bins", "_modelhub row 5f1c", "partition_id", "X", "SELECT",
    "n" * 300, "\\", "$1", "?",
    "label", "id", "nul\0",
]  # fmt: skip
TEXTS = [
    "",
    " ",
    "red",
    "deep sea",
    "Straße",
    "ИМЯ",
    "😀 😀",
    "\0",
    "a\nb",
    "'",
    '"',
    ",",
    "NULL",
    "nan",
    "1e999",
    "x" * 5000,
    "\u202e",
    "0",
    "-1",
    "1,5",
]
NUMBERS = [0.0, 1.0, -1.0, 7.0, 2.0**31, -(2.0**63), 2.0**63, 0.1, -0.0, 1e-30, 1e308, -1e308, math.nan, math.inf, -math.inf]
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 0.5, 1e9, 10**30, math.nan, math.inf, "", "x", "auto", "exact", "lsh", "names",
    "values", "distance",
    "js", "aligned", "*", "\0", "x" * 999, "\udcff", [], ["x"], ["*"], [None], [1], {}, {"a": 1}, b"x", object(),
    decimal.Decimal("0.3"),
    "1=1", "source_accuracy > 0.5", "no_such > 1", "1); DROP TABLE models", "(SELECT 1)", "model", "beer*",
]  # fmt: skip


def number(rng: random.Random) -> Any:
    return rng.choice(NUMBERS) if rng.random() < 0.3 else rng.gauss(0, 10 ** rng.randrange(-5, 6))


def whole(rng: random.Random, bits: int) -> int:
    return rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) if rng.random() < 0.5 else rng.randrange(-5, 6)


def moment(rng: random.Random) -> datetime.datetime:
    return datetime.datetime(
        rng.choice([1, 1677, 1970, 2024, 9999]), rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(24)
    )


#: Types, and a value of each.
TYPES: list[tuple[pa.DataType, Callable[[random.Random], Any]]] = [
    (pa.float64(), number), (pa.float64(), number), (pa.float32(), number), (pa.int64(), lambda rng: whole(rng, 64)),
    (pa.int8(), lambda rng: whole(rng, 8)), (pa.uint64(), lambda rng: rng.randrange(2**64)),
    (pa.bool_(), lambda rng: rng.random() < 0.5),
    (pa.string(), lambda rng: rng.choice(TEXTS)), (pa.string(), lambda rng: str(rng.randrange(99))),
    (pa.large_string(), lambda rng: rng.choice(TEXTS)), (pa.binary(), lambda rng: rng.randbytes(3)),
    (pa.date32(), lambda rng: moment(rng).date()), (pa.timestamp("us"), moment), (pa.timestamp("s", "UTC"), moment),
    (pa.time64("us"), lambda rng: moment(rng).time()),
    (pa.duration("us"), lambda rng: datetime.timedelta(rng.randrange(-9999, 9999))),
    (pa.decimal128(20, 3), lambda rng: decimal.Decimal(rng.randrange(-(10**15), 10**15)) / 1000),
    (pa.list_(pa.int32()), lambda rng: [whole(rng, 32) for _ in range(rng.randrange(4))]),
    (pa.list_(pa.string()), lambda rng: [rng.choice([*TEXTS, None]) for _ in range(rng.randrange(4))]),
    (pa.list_(pa.list_(pa.float64())), lambda rng: [[number(rng)]]),
    (pa.list_(pa.float64(), 2), lambda rng: [number(rng), number(rng)]),
    (pa.struct([("a", pa.int64()), ("b", pa.string())]), lambda rng: {"a": whole(rng, 64), "b": rng.choice(TEXTS)}),
    (pa.struct([("", pa.struct([("x.y", pa.float64())]))]), lambda rng: {"": {"x.y": number(rng)}}),
    (pa.map_(pa.string(), pa.int64()), lambda rng: [(rng.choice(TEXTS), 1)]), (pa.null(), lambda rng: None),
    (pa.dictionary(pa.int32(), pa.string()), lambda rng: rng.choice(TEXTS)),
]  # fmt: skip


class Case:
    """What a seed and a number make: a table, options, a file, a verb."""

    def __init__(self, seed: int, number: int, folder: Path) -> None:
        self.rng, self.folder, self.said = random.Random(f"{seed}:{number}"), folder / str(number), f"case {number}"
        self.folder.mkdir()

    def table(self) -> pa.Table:
        rng, rows = self.rng, self.rng.choice([0, 1, 2, 30, 150])
        # Each type more takes longer to plan: many cases of few columns say more than few of many.
        names = [rng.choice(NAMES) for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5]))]
        columns, missing = [], rng.choice([0.0, 0.1, 1.0])
        for _ in names:
            type_, make = rng.choice(TYPES)
            values = [None if rng.random() < missing else make(rng) for _ in range(rows)]
            columns.append(pa.array(values, type_))
        return pa.Table.from_arrays(columns, names)

    def dataset(self, files: bool = False) -> Any:
        """A table in one of the forms that a dataset may have; files: one that the command can name."""
        rng = self.rng
        if rng.random() < 0.15:
            return rng.choice(
                ["missing.parquet", "", ".", "*", "a\0b", "no_table", "https://", str(self.folder), "/dev/null", "-", "--x"]
            )
        table = self.table()
        if rng.random() < 0.4:
            # One that fits the models.
            table = table_of(rng.choice([20, 150]), rng.randrange(3))
        form = rng.choice(
            ["parquet", "csv", "json", "garbage", "empty", *([] if files else ["arrow", "pandas", "dict", "rows", "reader"])]
        )
        self.said += f" {form}"
        if form == "arrow":
            return table
        if form == "reader":
            return table.to_reader()
        if form in ("pandas", "dict", "rows"):
            try:
                return table.to_pandas() if form == "pandas" else table.to_pydict() if form == "dict" else table.to_pylist()
            except (pa.ArrowException, ValueError, OverflowError):
                return table
        name = (
            rng.choice(["t", "a b", "é", "it's", "a[1]", "x*", "?", "t.tar", "%20"])
            + f".{rng.choice(['parquet', 'csv', 'json', 'txt'])}"
        )
        path = self.folder / (name if form in ("garbage", "empty") else f"{name}.{form}")
        try:
            if form == "parquet":
                pa.parquet.write_table(table, path)
            elif form == "csv":
                pa.csv.write_csv(table, path)
            elif form == "json":
                path.write_text("\n".join(json.dumps(row, default=str) for row in table.to_pylist()))
            else:
                path.write_bytes(b"" if form == "empty" else rng.randbytes(rng.choice([3, 500])))
        except (pa.ArrowException, NotImplementedError, ValueError, OverflowError):
            path.write_bytes(b"a,b\n1,'\"\n")
        return str(path) if rng.random() < 0.9 else [str(path), str(path)] if not files else str(path)

    def name(self) -> Any:
        rng = self.rng
        # One that there is, in a quarter: who asks for another hears no more than that.
        made = rng.random()
        return (
            rng.choice(["model 0", "model 1"] if made < 0.25 else [*NAMES, "half \ud800"]) if made < 0.9 else rng.choice(VALUES)
        )

    def options(self, *names: str) -> dict[str, Any]:
        rng = self.rng
        # One wrong option is enough to be refused: mostly few are given.
        given = {name: rng.choice(VALUES) for name in names if rng.random() < rng.choice([0, 0.06, 0.12, 0.25])}
        if rng.random() < 0.3:
            given["exclude"] = rng.choice([["x"], ["label?"], [rng.choice(NAMES)], ["*"], rng.choice(VALUES)])
        self.said += f" {given!r:.300}"
        return given


SEARCH = ("top", "all_models", "details", "task", "framework", "latest", "where", "features", "min_overlap",
          "min_jaccard", "max_js",
          "min_adaptivity", "sample_space", "rank_by", "search")  # fmt: skip
TOLD = ("accuracy", "accuracy_rows", "version", "task", "framework", "uri", "metadata")
#: What changes a hub is drawn more often than what takes long to plan.
VERBS = [
    *(6 * ["register", "find"]), *(4 * ["append"]), *(3 * ["update", "sync"]),
    *(2 * ["remove", "set", "show", "export", "import_hub", "connect"]), "register_many", "explain", "explain_model",
    "explain_partitions", "compare", "sketch", "merge", "check", "find_datasets", "others",
]  # fmt: skip


def verb(case: Case, hub: modelhub_sql.Hub, sketch: Sketch) -> None:
    """A verb of Python with what the case makes up. sketch: one to merge with."""
    rng, name = case.rng, case.name()
    kind = rng.choice(VERBS)
    case.said += f" {kind} {name!r:.60}"
    if kind == "register":
        hub.register(name, case.dataset(), **case.options(*TOLD, "like", "source", "replace", "read"))
    elif kind == "register_many":
        hub.register_many([{"name": case.name(), "dataset": case.dataset(), **case.options(*TOLD)} for _ in range(2)])
    elif kind == "find":
        hub.find_models(case.dataset(), **case.options(*SEARCH)).fetchall()
    elif kind in ("explain", "explain_model", "explain_partitions"):
        getattr(hub, kind)(name, case.dataset(), **case.options("version")).fetchall()
    elif kind == "compare":
        hub.compare(name, case.name(), case.dataset(), **case.options()).fetchall()
    elif kind == "append":
        given = case.options("version", "read")
        given.pop("exclude", None)
        hub.append(name, case.dataset(), **given)
    elif kind == "remove":
        hub.remove(name, rng.choice([None, *VALUES]), dry_run=rng.random() < 0.8)
    elif kind == "update":
        given = case.options(*TOLD)
        given.pop("exclude", None)
        hub.update(name, **given)
    elif kind == "sync":
        rows = [{"name": case.name(), "dataset": case.dataset(), **case.options(*TOLD)} for _ in range(rng.randrange(3))]
        hub.sync(rows, dry_run=rng.random() < 0.7)
    elif kind == "sketch":
        hub.sketch(case.dataset(), **case.options("read")).save(case.folder / rng.choice(["s.sketch.parquet", "s.parquet"]))
    elif kind == "merge":
        hub.merge([hub.sketch(case.dataset()), sketch])
    elif kind in ("check", "find_datasets"):
        getattr(hub, kind)(case.dataset(), **case.options()).fetchall()
    elif kind == "import_hub":
        hub.import_hub(case.dataset(files=True), dry_run=rng.random() < 0.5)
    elif kind == "export":
        hub.export(name, case.folder / "e.sketch.parquet")
    elif kind == "set":
        given = case.options("features", "min_overlap", "max_js", "rank_by", "search", "max_candidates", "auto_models")
        given.pop("exclude", None)
        hub.set(**given)
    elif kind == "show":
        hub.show(name)
    elif kind == "connect":
        given = case.options(
            "partition_size",
            "text_bins",
            "seed",
            "salt",
            "recall",
            "max_partitions",
            "partitioning",
            "minhash_bands",
            "min_count",
            "round_counts",
        )
        given.pop("exclude", None)
        modelhub_sql.connect(rng.choice([":memory:", str(case.folder / "h.duckdb"), str(case.folder), "\0"]), **given).close()
    else:
        for each in (hub.models, hub.datasets, hub.dataset_pairs, hub.privacy, hub.verify):
            each().fetchall()


COMMANDS = ["register", "find", "explain", "list", "remove", "update", "append", "sketch", "check", "show", "sync",
            "find-datasets", "pairs",
            "set", "compare", "steps", "verify", "privacy", "init", "merge", "export", "backup", "rescue", "upgrade",
            "nonsense"]  # fmt: skip
FLAGS = ["--json", "--csv", "--exclude", "--accuracy", "--version", "--top", "--where", "--max-js", "--details",
         "--limit", "--replace", "--task",
         "--read", "--source", "--dry-run", "--columns", "--wide", "--markdown", "-o", "--no-such", "--help"]  # fmt: skip


def commanded(case: Case, path: str) -> None:
    """The command with what the case makes up."""
    rng = case.rng
    arguments = [rng.choice(COMMANDS)]
    for _ in range(rng.randrange(4)):
        made = rng.random()
        told = path if made < 0.4 else str(case.dataset(files=True)) if made < 0.7 else str(case.name())
        arguments.append(told if told != path or arguments[0] != "init" else path + "x")
    for _ in range(rng.randrange(3)):
        arguments += [rng.choice(FLAGS), str(rng.choice([*VALUES[:20], case.folder / "out"]))][: rng.choice([1, 2])]
    # No process can be given a NUL, or half a character. What is written goes to the case's folder.
    arguments = [each.replace("\0", "").encode(errors="replace").decode() for each in arguments]
    case.said += f" modelhub {arguments!r:.500}"
    result = CliRunner().invoke(command, arguments, input="")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code not in (0, 1, 2) or "Traceback" in result.stderr:
        raise AssertionError(f"exit code {result.exit_code}: {result.stderr[-300:]}")


def batch(seed: int, numbers: list[int], log: Path) -> list[dict[str, Any]]:
    """Runs cases one after the other on one hub; returns what was wrong."""
    wrong: list[dict[str, Any]] = []
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        path = str(folder / "hub.duckdb")
        with modelhub_sql.connect(path, partition_size=50) as made:
            for each in range(2):
                made.register(f"model {each}", table_of(120, each), accuracy=0.9)
        hub = modelhub_sql.connect(partition_size=50)
        hub.import_hub(path)
        hub.con.execute("SET threads = 1")
        sketch = hub.sketch(table_of(30, 1))
        for at in numbers:
            case = Case(seed, at, folder)
            log.write_text(str(at))
            signal.alarm(120)
            by_command = case.rng.random() < 0.35
            before = None if by_command else hub.models().fetchall()
            try:
                commanded(case, path) if by_command else verb(case, hub, sketch)
                outcome = "answered"
            except modelhub_sql.HubError as error:
                outcome = type(error).__name__
                if by_command:
                    wrong.append({"case": at, "said": case.said, "error": f"uncaught {error!r:.300}"})
                elif hub.models().fetchall() != before:
                    wrong.append({"case": at, "said": case.said, "error": "refused, but the models are others"})
            except Exception as error:
                outcome = "WRONG"
                wrong.append({"case": at, "said": case.said, "error": f"{type(error).__name__}: {error}"[:500]})
            with log.with_suffix(".outcomes").open("a") as stream:
                stream.write(("command" if by_command else "python") + f" {outcome}\n")
        signal.alarm(0)
        if faults := hub.verify().fetchall():
            wrong.append({"case": f"{numbers[0]} to {numbers[-1]}", "error": f"not whole: {faults[0]}"})
        hub.close()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="only this one")
    given = parser.parse_args()
    cases = [given.case] if given.case is not None else list(range(given.cases))
    wrong: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "case"
        todo = [cases[at : at + BATCH] for at in range(0, len(cases), BATCH)]
        while todo:
            numbers = todo.pop(0)
            if not numbers:
                continue
            ended = forked(partial(batch, given.seed, numbers, log))
            found = ended.value if ended.how == "ok" else [{"case": int(log.read_text()), "error": f"{ended.how}: {ended.value}"}]
            for each in found:
                print(json.dumps(each), flush=True)
            wrong += found
            if ended.how != "ok":
                todo.insert(0, [at for at in numbers if at > int(log.read_text())])
        outcomes = Counter(log.with_suffix(".outcomes").read_text().splitlines())
    for outcome, n in sorted(outcomes.items()):
        print(f"{outcome:32} {n:6}")
    print(f"DuckDB {duckdb.__version__}: {sum(outcomes.values())} cases, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
