"""One block of a hub after the other damaged: how many of its models does rescue save?

python examples/trust/saved.py 60

Wrong is an error of another kind than damage, or a new hub that is not whole.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import defaultdict
from pathlib import Path

import duckdb
from forked import table_of, without_hub

import modelhub_sql
from modelhub_sql import journal, upkeep


def made(path: Path, models: int) -> None:
    """A hub of models with 25 partitions each, registered one by one."""
    with modelhub_sql.connect(path, partition_size=40) as hub:
        for seed in range(models):
            hub.register(f"model {seed}", table_of(1000, seed))


def owners(path: Path) -> dict[int, str]:
    """Which table a block is of."""
    with duckdb.connect(str(path), read_only=True) as con:
        found: dict[int, str] = {}
        for (table,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = '_hub'").fetchall():
            used = con.execute(
                "SELECT block_id, additional_block_ids FROM pragma_storage_info(?) WHERE block_id >= 0", [f"_hub.{table}"]
            ).fetchall()
            found |= {block: table for first, more in used for block in (first, *(more or []))}
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=int, nargs="?", default=60)
    given = parser.parse_args()
    saved: defaultdict[str, list[int]] = defaultdict(list)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        base, path, new = (Path(folder) / name for name in ("base.duckdb", "damaged.duckdb", "new.duckdb"))
        made(base, given.models)
        content, of = base.read_bytes(), owners(base)
        header = journal.newest(content[: journal.HEADERS])
        assert header is not None
        for block in range((len(content) - journal.HEADERS) // header.block_size):
            without_hub(path)
            without_hub(new)
            damaged = bytearray(content)
            damaged[journal.HEADERS + block * header.block_size + random.Random(block).randrange(8, header.block_size)] ^= 4
            path.write_bytes(damaged)
            try:
                models = upkeep.rescue(str(path), str(new)).models
            except modelhub_sql.HubDamagedError:
                models = 0
            else:
                with modelhub_sql.connect(new, read_only=True) as hub:
                    wrong += bool(upkeep.faults(hub))
            saved[of.get(block, "the catalog, an index, or nothing")].append(models)
    for table, counts in sorted(saved.items()):
        print(f"{table:36} {len(counts):4} blocks, saved of {given.models}: {' '.join(map(str, counts))}")
    print(f"DuckDB {duckdb.__version__}: {wrong} wrong")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
