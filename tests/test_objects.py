"""What Python holds tables in: it works, or the column is named, or it is said what to pass."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from same import registered, shape

import modelhub_sql
from modelhub_sql import DatasetError

TABLE = pa.table({"a": [1.0, 2.0, None], "b": ["x", None, "y z"]})


class _OfHuggingFace:
    """Does what a ``datasets.Dataset`` does."""

    column_names = ("a", "b")

    def __len__(self) -> int:
        return 3

    def with_format(self, form: str) -> _OfHuggingFace:
        assert form == "arrow"
        return self

    def __getitem__(self, rows: slice) -> pa.Table:
        return TABLE[rows]


@pytest.mark.parametrize(
    "made",
    [
        lambda: TABLE.to_reader(),
        lambda: TABLE.to_batches()[0],
        lambda: TABLE.to_pandas(),
        lambda: TABLE.to_pydict(),
        lambda: TABLE.to_pylist(),
        lambda: [{"b": "x", "a": 1}, {"a": 2.0}, {"b": "y z"}],
        lambda: _OfHuggingFace(),
    ],
    ids=["stream", "batch", "pandas", "dict", "rows", "rows that lack names", "Hugging Face"],
)
def test_a_table_is_read_whatever_holds_it(settled_hub: modelhub_sql.Hub, made: Callable[[], Any]) -> None:
    assert registered(settled_hub, made()) == registered(settled_hub, TABLE)


@pytest.mark.parametrize("stream", [False, True])
def test_an_arrow_file_is_read(settled_hub: modelhub_sql.Hub, tmp_path: Path, stream: bool) -> None:
    path = str(tmp_path / "t.arrow")
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(path, "wb") as file, opened(file, TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert registered(settled_hub, path) == registered(settled_hub, TABLE)


def test_a_matrix_has_a_row_for_each_example(settled_hub: modelhub_sql.Hub) -> None:
    matrix = np.random.default_rng(0).normal(size=(60, 2))
    assert registered(settled_hub, matrix) == registered(settled_hub, pd.DataFrame(matrix, columns=["column0", "column1"]))
    assert shape(settled_hub, np.arange(6.0)) == {"column0": ("number", 6, 0)}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: np.zeros((4, 2, 3)), r"3 dimensions.*reshape\(len\(array\), -1\)"),
        (lambda: (x for x in range(3)), "only once"),
        (lambda: [1, 2], "list of dicts"),
        (lambda: {"a": [1, 2], "b": [1]}, "different lengths: a 2, b 1"),
        (lambda: {"a": 1, "b": "x"}, r"pass \[row\]"),
        (lambda: {"train": _OfHuggingFace()}, "several tables.*train"),
        (lambda: pd.DataFrame({"bad": pd.Series(["a\ud800b"] * 3, dtype=object)}), "column 'bad' holds text that is not Unicode"),
    ],
    ids=["cube", "generator", "list", "lengths", "one row", "several tables", "surrogates"],
)
def test_what_can_not_be_read_is_refused_and_the_hub_still_works(
    settled_hub: modelhub_sql.Hub, made: Callable[[], Any], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        settled_hub.register("m", made())
    assert shape(settled_hub, TABLE)["a"] == ("number", 2, 1)


def test_a_stream_that_was_read_is_said_to_be() -> None:
    reader = TABLE.to_reader()
    with modelhub_sql.connect() as hub:
        hub.register("once", reader)
        with pytest.raises(DatasetError, match="only once"):
            hub.register("twice", reader)


def test_every_type_of_arrow_works(settled_hub: modelhub_sql.Hub) -> None:
    table = pa.table(
        {
            "decimal": pa.array([Decimal("1.5")] * 3, pa.decimal256(50, 3)),
            "halves": pa.array(np.array([1, 2, 3], np.float16)),
            "lists of halves": pa.array([[np.float16(1)]] * 3, pa.list_(pa.float16())),
            "view": pa.array(["a", "b", "c"], pa.string_view()),
            "list view": pa.array([[1.0], [2.0], None], pa.list_view(pa.float64())),
            "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
            "fixed": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2)),
        }
    )
    found = shape(settled_hub, table)
    assert {name: kind for name, (kind, *_) in found.items()} == {
        name: "text" if name in ("view", "dictionary") else "number" for name in table.column_names
    }


def test_every_dtype_of_pandas_works_or_is_named(settled_hub: modelhub_sql.Hub) -> None:
    table = pd.DataFrame(
        {
            "mixed": [1, "a", None],
            "lists": [[1.0, 2.0], [float("nan")], None],
            "decimals": [Decimal("1.5"), None, Decimal("2")],
            "clock": [datetime.time(1, 2), None, datetime.time(3, 4)],
            "period": pd.period_range("2020", periods=3, freq="M"),
            "interval": pd.interval_range(0, 3),
            "category": pd.Categorical(["a", "b", "a"]),
            "struct": [{"x": 1}, {"x": 2, "y": "q"}, None],
            "complex": [1j, 2, 3],
            "sparse": pd.arrays.SparseArray([0, 0, 1]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "span": pd.to_timedelta([1, 2, None], "h"),
        }
    )
    with pytest.warns(UserWarning, match="column 'mixed' holds int, str: taken as text"):
        found = {name: kind for name, (kind, *_) in shape(settled_hub, table).items()}
    assert found == {
        "mixed": "text", "lists": "number", "decimals": "number", "clock": "time", "period": "text", "interval": "text",
        "category": "text", "struct.x": "number", "struct.y": "text", "complex": "text", "sparse": "number", "nullable": "number",
        "span": "time",
    }  # fmt: skip


def test_control_characters_of_names_are_shown(settled_hub: modelhub_sql.Hub) -> None:
    with pytest.warns(UserWarning, match=r"\\x1b\[2J"):
        settled_hub.register("m", pd.DataFrame({"a\x1b[2J": [b"x"], "v": [1.0]}), replace=True)
