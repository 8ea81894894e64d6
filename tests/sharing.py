"""What holds of a hub in a database, whichever it is: it is that of the file, and many write at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from conftest import data

import modelhub_sql
from modelhub_sql.opening import expected
from modelhub_sql.shared import TABLES


def rows_of(hub: modelhub_sql.Hub) -> dict[str, list[Any]]:
    """All that a hub holds, but when it was written."""
    return {
        table: hub._own.execute(
            f"SELECT COLUMNS(lambda c: c <> 'registered_at') FROM {hub._place.tables}._hub.{table} ORDER BY ALL"
        ).fetchall()
        for table in expected()
        if table in TABLES
    }


def is_that_of_the_file(address: str, sensor_hub: modelhub_sql.Hub, sensor_hub_path: str) -> None:
    """A hub with partitions of 100 rows, empty yet, answers and changes as the file does."""
    with modelhub_sql.connect(address, partition_size=100) as hub, modelhub_sql.connect(address, read_only=True) as reader:
        hub.import_hub(sensor_hub_path)
        verbs: list[Callable[[modelhub_sql.Hub], Any]] = [
            # What another process wrote is there without connecting again.
            lambda each: each.find_models(data("leg1"), exclude=["activity"], details=True),
            lambda each: each.explain("leg2", data("leg1"), exclude=["activity"], details=True),
            lambda each: each.dataset_pairs(),
            lambda each: each.show("beer"),
        ]
        for verb in verbs:
            here, there = (verb(each).fetchall() for each in (sensor_hub, reader))
            assert here == there
            assert here
        assert rows_of(reader) == rows_of(sensor_hub)
        with modelhub_sql.connect(partition_size=100) as copy:
            copy.import_hub(address)
            assert rows_of(copy) == rows_of(sensor_hub)
        # Incrementally, too.
        with modelhub_sql.connect(partition_size=100) as alone:
            alone.import_hub(sensor_hub_path)
            for each in (hub, alone):
                each.remove("torso*")
                each.append("leg1", data("torso1"))
                each.update("beer", accuracy=0.5)
                each.set(rank_by="js")
                each.register("like", like="adult", version="2")
                each.register("beer", data("leg2"), exclude=["activity"], replace=True)
                each.record("leg1", data("leg2"), 0.7, exclude=["activity"])
            reader.models()
            for table, rows in rows_of(alone).items():
                if table != "outcomes":
                    assert rows_of(hub)[table] == rows_of(reader)[table] == rows, table
            assert [row[:9] for row in reader.outcomes().fetchall()] == [row[:9] for row in alone.outcomes().fetchall()]
        assert reader.verify().fetchall() == []


WRITER = """
import sys, numpy, modelhub_sql
address, name, models = sys.argv[1], sys.argv[2], int(sys.argv[3])
with modelhub_sql.connect(address) as hub:
    print("open", flush=True)
    for number in range(models):
        rows = numpy.random.default_rng(number).normal(number, 1, (300, 3))
        hub.register(f"{name} {number}", {each: rows[:, place] for place, each in enumerate("abc")})
        print(number, flush=True)
"""


def write_at_once(address: str, processes: int, models: int) -> None:
    with modelhub_sql.connect(address, partition_size=100) as hub:
        # The writer that is killed would go on for ever.
        started = [
            subprocess.Popen([sys.executable, "-c", WRITER, address, str(number), str(count)], stdout=subprocess.PIPE, text=True)
            for number, count in enumerate([*[models] * processes, 10_000])
        ]
        *writers, killed = started
        assert killed.stdout is not None
        for _ in range(3):
            killed.stdout.readline()
        time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        for each in writers:
            each.communicate(timeout=300)
            assert each.returncode == 0
        killed.communicate()
        of_killed = [row["model"] for row in hub.models().dicts() if row["model"].startswith(f"{processes} ")]
        # What it said was registered, and perhaps one that it did not come to say.
        assert len(of_killed) >= 2
        assert sorted(of_killed) == sorted(f"{processes} {number}" for number in range(len(of_killed)))
        found = {row["model"] for row in hub.models().dicts()}
        wanted = {f"{number} {each}" for number in range(processes) for each in range(models)}
        assert found - {*of_killed} == wanted
        tables = f"{hub._place.tables}._hub"
        ((count, distinct),) = hub._own.execute(f"SELECT count(*), count(DISTINCT dataset_id) FROM {tables}.models").fetchall()
        assert count == distinct == len(found)
        assert hub.verify().fetchall() == []
        for number in range(models):
            rows = np.random.default_rng(number).normal(number, 1, (300, 3))
            sketch = hub.sketch({each: rows[:, place] for place, each in enumerate("abc")})
            for process in range(processes):
                stored = hub.sketch_of(f"{process} {number}")
                assert sorted(stored.columns) == sorted(sketch.columns)
                for column in sketch.columns:
                    assert stored.arrow()[column].to_pylist() == sketch.arrow()[column].to_pylist(), column
