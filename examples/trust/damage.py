"""Hubs with bytes flipped, zeroed, cut off, swapped or put in: does each say so, or answer as before?

python examples/trust/damage.py 300

Each damaged copy is opened, listed, searched and verified, every second one by the command, each tenth written to. Right is: an
error of ours that names the hub; or all answers as they were, where the damage lies in what nobody reads. Wrong is: another
answer without a word, another error, a crash. A log that is cut is the log of a shorter time: then the hub of before the last
change is right, too.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner
from forked import Ended, example_hub, forked, held, table_of, without_hub

import modelhub_sql
from modelhub_sql import upkeep
from modelhub_sql.cli import main as command

PAGE = 4096


def flipped(rng: random.Random, content: bytearray) -> None:
    for _ in range(rng.choice([1, 1, 3, 30])):
        at = rng.randrange(len(content))
        content[at] ^= 1 << rng.randrange(8)


def in_headers(rng: random.Random, content: bytearray) -> None:
    content[rng.randrange(min(3 * PAGE, len(content)))] ^= 1 << rng.randrange(8)


def zeroed(rng: random.Random, content: bytearray) -> None:
    at, size = rng.randrange(len(content)), rng.choice([1, 512, PAGE, 262144])
    content[at : at + size] = bytes(len(content[at : at + size]))


def cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) // rng.choice([1, PAGE]) :]


def swapped(rng: random.Random, content: bytearray) -> None:
    a, b = (rng.randrange(max(1, len(content) // PAGE)) * PAGE for _ in range(2))
    page = bytes(content[a : a + PAGE])
    if len(page) == len(content[b : b + PAGE]):
        content[a : a + PAGE] = content[b : b + PAGE]
        content[b : b + PAGE] = page


def put_in(rng: random.Random, content: bytearray) -> None:
    at = rng.randrange(len(content))
    content[at:at] = rng.randbytes(rng.choice([1, 100, PAGE]))


DAMAGES = (flipped, flipped, in_headers, zeroed, cut, swapped, put_in)


def answers(path: Path) -> dict[str, Any]:
    with modelhub_sql.connect(path, read_only=True) as hub:
        found = hub.find_models(table_of(300, 2), all_models=True)
        return {
            "models": hub.models().fetchall(),
            "found": [(row["model"], row["version"], round(row["distance"], 9), row["verdict"]) for row in found.dicts()],
            "faults": [tuple(fault) for fault in upkeep.faults(hub)],
        }


def commanded(path: Path, target: Path) -> str:
    result = CliRunner().invoke(command, ["find", str(path), str(target), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code not in (0, 1):
        raise ValueError(f"exit code {result.exit_code}")
    if result.exit_code == 1 and (not result.stderr.startswith("error: ") or path.name not in result.stderr):
        raise ValueError(f"the command does not name the hub: {result.stderr}")
    return result.stdout if result.exit_code == 0 else ""


def written(path: Path) -> dict[str, list[Any]]:
    """What a hub holds when it has also been written to."""
    with modelhub_sql.connect(path) as hub:
        hub.register("after", like="model 0")
        hub.remove("after")
    return held(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=int, nargs="?", default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    found: Counter[tuple[str, str]] = Counter()
    wrong: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        base, logged, path, target = (
            Path(folder) / name for name in ("base.duckdb", "log.duckdb", "damaged.duckdb", "t.parquet")
        )
        log = Path(f"{logged}.wal")

        def prepare() -> None:
            example_hub(base)
            shutil.copy(base, logged)
            with modelhub_sql.connect(logged) as hub:
                hub.con.execute(f"COPY (SELECT range AS x, 'red' AS word FROM range(300)) TO '{target}'")
                hub.remove("model 3")
                # While it is open its changes are in the log.
                shutil.copy(log, f"{log}.kept")

        def kept(work: Callable[[], Any]) -> Any:
            ended = forked(work)
            if ended.how != "ok":
                raise SystemExit(f"without damage already: {ended}")
            return ended.value

        kept(prepare)
        shutil.copy(base, logged)
        Path(f"{log}.kept").rename(log)
        of_base, of_log = kept(lambda: answers(base)), kept(lambda: answers(logged))
        holds, found_by_command = kept(lambda: held(base)), kept(lambda: commanded(base, target))
        for number in range(given.files):
            without_hub(path)
            in_log = number % 6 == 5
            damage = rng.choice(DAMAGES)
            name = f"{damage.__name__}{' (log)' if in_log else ''}"
            shutil.copy(logged if in_log else base, path)
            if in_log:
                shutil.copy(log, f"{path}.wal")
            damaged = Path(f"{path}.wal") if in_log else path
            content = bytearray(damaged.read_bytes())
            damage(rng, content)
            damaged.write_bytes(content)
            ended = forked(lambda: answers(path))
            outcome = judged(ended, path, (of_log, of_base) if in_log else (of_base,))
            if outcome == "answers as before" and number % 2 == 0 and not in_log:
                ended = forked(lambda: commanded(path, target))
                outcome = outcome if ended in (Ended("ok", found_by_command), Ended("ok", "")) else "WRONG: the command"
            if outcome == "answers as before" and number % 10 == 0 and not in_log:
                ended = forked(lambda: written(path))
                if ended != Ended("ok", holds) and ended.how != "refused":
                    outcome = "WRONG: when written to"
            found[name, outcome] += 1
            if outcome.startswith("WRONG"):
                wrong.append(
                    {"file": number, "damage": name, "outcome": outcome, "ended": ended.how, "value": str(ended.value)[:500]}
                )
                print(json.dumps(wrong[-1]), flush=True)
                shutil.copy(damaged, Path(tempfile.gettempdir()) / f"damaged-{given.seed}-{number}{damaged.suffix}")
    for (name, outcome), n in sorted(found.items()):
        print(f"{name:18} {outcome:28} {n:4}")
    said = sum(n for (_, outcome), n in found.items() if outcome in ("said", "verify says it"))
    print(f"DuckDB {duckdb.__version__}: {given.files} damaged files: {said} said so, {len(wrong)} wrong")
    return bool(wrong)


def judged(ended: Ended, path: Path, right: tuple[dict[str, Any], ...]) -> str:
    if ended.how == "refused":
        is_named = path.name in ended.value and "t.parquet" not in ended.value
        is_of_file = ended.value.startswith(("HubDamagedError", "HubFormatError", "HubLogError"))
        return "said" if is_named and is_of_file else "WRONG: another error"
    if ended.how != "ok":
        return f"WRONG: {ended.how}"
    if {**ended.value, "faults": []} not in right:
        return "WRONG: another answer"
    return "verify says it" if ended.value["faults"] else "answers as before"


if __name__ == "__main__":
    raise SystemExit(main())
