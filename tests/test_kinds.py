"""What a column holds decides, not how it is spelt or what it is read from."""

from __future__ import annotations

import itertools
import json
import string
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import stock_shell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from same import SKETCH, registered, shape, sketch

import modelhub_sql

ROWS = 300


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


AMOUNTS = drawn().uniform(-9000, 9000, ROWS).round(2)
WHOLE = drawn(1).integers(0, 40, ROWS)
MOMENTS = pd.Timestamp("2015-01-01") + pd.to_timedelta(drawn(2).integers(0, 10**8, ROWS), "s")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ([f"{x:,.2f}" for x in AMOUNTS], AMOUNTS),
        ([f"{x:,.2f}".translate(str.maketrans(",.", ".,")) for x in AMOUNTS], AMOUNTS),
        ([f"{x:,.2f}".replace(",", " ") for x in AMOUNTS], AMOUNTS),
        ([f"{x:,.2f}".replace(",", "\u202f").replace(".", ",") for x in AMOUNTS], AMOUNTS),
        ([f"{x:.2f}".replace("-", "\u2212") for x in AMOUNTS], AMOUNTS),
        ([repr(float(x)) for x in AMOUNTS], AMOUNTS),
        ([f" {x:e} " for x in AMOUNTS], [float(f"{x:e}") for x in AMOUNTS]),
        ([f"{x} %" for x in WHOLE], WHOLE),
        ([f"\u20ac {x}.50" for x in WHOLE], WHOLE + 0.5),
        ([str(x % 2 == 0) for x in WHOLE], (WHOLE % 2 == 0).astype(int)),
        ([x % 2 == 0 for x in WHOLE], (WHOLE % 2 == 0).astype(float)),
        ([f"{x:03d}" for x in WHOLE], WHOLE),
        (MOMENTS.strftime("%Y-%m-%dT%H:%M:%S.000Z"), MOMENTS),
        (MOMENTS.tz_localize("UTC").tz_convert("Asia/Kolkata").map(lambda x: x.isoformat()), MOMENTS),
        (MOMENTS.strftime("%Y-%m-%d"), MOMENTS.normalize()),
        (MOMENTS.strftime("%H:%M:%S"), [x.time() for x in MOMENTS]),
        (pd.Categorical([str(x) for x in WHOLE]), WHOLE),
    ],
    ids=[
        "thousands", "decimal comma", "spaces", "narrow spaces and comma", "minus sign", "repr", "exponent", "per cent", "currency",
        "True and False", "booleans", "leading zeros", "UTC", "time zone", "dates", "times of day", "category",
    ],
)  # fmt: skip
def test_text_that_spells_numbers_or_times_is_that(settled_hub: modelhub_sql.Hub, spelt: Any, meant: Any) -> None:
    found = registered(settled_hub, pd.DataFrame({"c": spelt}))
    assert found == registered(settled_hub, pd.DataFrame({"c": meant}))
    assert found[0][1] in ("number", "time")


@pytest.mark.one_in(2)
@pytest.mark.parametrize("odd", ["x1", "2021-02-30", "1.2.3", "12:61:00", "4,5,6", "--3", "$", "e5"])
def test_one_cell_that_spells_nothing_makes_a_column_text(settled_hub: modelhub_sql.Hub, odd: str) -> None:
    for spelt in ([str(x) for x in WHOLE], list(MOMENTS.strftime("%Y-%m-%d")), list(MOMENTS.strftime("%H:%M:%S"))):
        assert shape(settled_hub, pd.DataFrame({"c": [*spelt, odd]}))["c"][0] == "text"


def test_what_stands_for_missing_is_missing(settled_hub: modelhub_sql.Hub) -> None:
    words = ["", " ", "NaN", "nan", "NULL", "null", "NA", "N/A", "<NA>", "None", "NaT", "#N/A"]
    table = pd.DataFrame(
        {
            "text": [*words, "red"],
            "number": [*words, "1,000"],
            "floats": [float("nan")] * len(words) + [1.0],
            "lists": [[float("nan")]] * len(words) + [[1.0]],
            "halves": np.array([np.nan] * len(words) + [1], np.float16),
        }
    )
    assert shape(settled_hub, table) == {
        "text": ("text", 1, len(words)),
        **{name: ("number", 1, len(words)) for name in ("number", "floats", "lists", "halves")},
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([unicodedata.normalize(form, "caf\u00e9 \u00fcber") for form in ("NFC", "NFD")]),
        ("ABC 12", "\uff21\uff22\uff23 \uff11\uff12"),
        ("Stra\u00dfe NORD", "stra\u00dfe nord"),
    ],
)
def test_forms_of_unicode_that_look_the_same_are(settled_hub: modelhub_sql.Hub, one: str, other: str) -> None:
    assert registered(settled_hub, pd.DataFrame({"c": [one] * 9})) == registered(settled_hub, pd.DataFrame({"c": [other] * 9}))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("\u4eca\u5929\u5929", ["\u4eca\u5929", "\u5929\u5929"]),
        ("abc\u4eca\u5929x", ["abc", "\u4eca\u5929", "x"]),
        ("\u4eca", ["\u4eca"]),
        ("\u30ab\u30fc\u30c9", ["\u30ab\u30fc", "\u30fc\u30c9"]),
        ("\u0e44\u0e17\u0e22", ["\u0e44\u0e17", "\u0e17\u0e22"]),
        ("\ud55c\uad6d\uc5b4", ["\ud55c\uad6d\uc5b4"]),
        ("don't-stop", ["don", "t", "stop"]),
    ],
)
def test_scripts_without_spaces_are_pairs_of_characters(settled_hub: modelhub_sql.Hub, text: str, tokens: list[str]) -> None:
    assert settled_hub._own.execute("SELECT tokens(?)", [text]).fetchall() == [(tokens,)]


def test_keys_are_left_out_and_said(settled_hub: modelhub_sql.Hub) -> None:
    table = pd.DataFrame(
        {
            "Unnamed: 0": drawn().permutation(ROWS), "id": np.arange(ROWS) + 7, "code": [f"k-{x:04d}" for x in drawn().permutation(ROWS)],
            "x": AMOUNTS, "constant": 5, "word": drawn().choice(["red", "blue"], ROWS),
        }
    )  # fmt: skip
    with pytest.warns(UserWarning, match=r"exclude=\['Unnamed: 0', 'id', 'code'\]"):
        assert list(shape(settled_hub, table)) == ["constant", "word", "x"]
    ((skipped,),) = settled_hub.sql("SELECT skipped FROM datasets JOIN models USING (dataset_id) WHERE model = 'same'").fetchall()
    assert [entry.partition(" (")[0] for entry in skipped] == ["Unnamed: 0", "id", "code"]
    checked = settled_hub.check(table)
    assert [row[0] for row in checked] == ["Unnamed: 0", "id", "code", "constant"]
    assert checked.summary == "exclude=['Unnamed: 0', 'id', 'code', 'constant']"
    # Where nothing else is left they are what there is.
    assert list(shape(settled_hub, table[["id"]])) == ["id"]


def test_leaves_of_structs_have_paths(settled_hub: modelhub_sql.Hub) -> None:
    sides = {side: pa.array([{"age": x * factor} for x in range(9)]) for side, factor in (("buyer", 1), ("seller", 5))}
    table = pa.table({**sides, "price_id": list(range(9))})
    turned = pa.table({name: table[name] for name in ("price_id", "seller", "buyer")})
    assert registered(settled_hub, table) == registered(settled_hub, turned)
    assert list(shape(settled_hub, table)) == ["buyer.age", "price_id", "seller.age"]
    assert list(shape(settled_hub, table, exclude=["buyer.age", "*_id", "label?"])) == ["seller.age"]
    assert list(shape(settled_hub, table, exclude=["SELLER"])) == ["buyer.age", "price_id"]
    with pytest.raises(modelhub_sql.DatasetError, match=r"no column 'label' to exclude; .* Write 'label\?'"):
        settled_hub.register("m", table, exclude=["label"])


def test_geometry_is_skipped_whether_or_not_it_says_its_crs(settled_hub: modelhub_sql.Hub) -> None:
    for type_ in ("GEOMETRY", "GEOMETRY('OGC:CRS84')"):
        settled_hub.sql(
            f"CREATE OR REPLACE TABLE places AS SELECT 'POINT (1 2)'::{type_} AS place, i::DOUBLE AS v FROM range(9) r(i)"
        )
        with pytest.warns(UserWarning, match="place"):
            assert list(shape(settled_hub, "places")) == ["v"]


# -- one table, many files ------------------------------------------------------------


def _column(kind: str, rows: int, seed: int) -> Any:
    random = np.random.default_rng(seed)
    missing = random.random(rows) < 0.1
    values: dict[str, Callable[[], Any]] = {
        "float": lambda: pd.Series(random.normal(0, 10.0 ** random.integers(-4, 6), rows)).mask(missing),
        "whole": lambda: pd.Series(random.integers(-50, 50, rows)),
        "boolean": lambda: pd.Series(random.random(rows) < 0.3),
        "date": lambda: pd.Series(pd.Timestamp("2001-01-01") + pd.to_timedelta(random.integers(0, 9999, rows), "D")).mask(
            missing
        ),
        "moment": lambda: pd.Series(pd.Timestamp("2001-01-01") + pd.to_timedelta(random.integers(0, 10**12, rows), "us")),
        "word": lambda: pd.Series(random.choice(["red", "Blue fish", "caf\u00e9", "\u4eca\u5929\u5929", 'a,b;"c"'], rows)).mask(
            missing
        ),
    }
    return values[kind]()


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    kinds = draw(st.lists(st.sampled_from(["float", "whole", "boolean", "date", "moment", "word"]), min_size=1, max_size=4))
    rows, seed = draw(st.integers(1, 900)), draw(st.integers(0, 10**6))
    return pd.DataFrame(
        {f"{string.ascii_lowercase[place]} {kind}": _column(kind, rows, seed + place) for place, kind in enumerate(kinds)}
    )


def _arrow(table: pd.DataFrame, kind: str) -> pa.Table:
    plain = pa.Table.from_pandas(table, preserve_index=False)

    def cast(column: Any) -> Any:
        if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
            return column
        if kind == "dictionary":
            return column.combine_chunks().dictionary_encode()
        return column.cast(pa.large_string() if kind == "large" else pa.string_view())

    return pa.table([cast(column) for column in plain.columns], names=plain.column_names)


def _in_json(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(table=tables())
def test_a_table_has_one_sketch_wherever_it_comes_from(
    tmp_path_factory: pytest.TempPathFactory, settled_hub: modelhub_sql.Hub, table: pd.DataFrame
) -> None:
    folder = tmp_path_factory.mktemp("same")
    table.to_csv(folder / "t.csv", index=False)
    table.to_parquet(folder / "t.parquet", index=False)
    # pandas writes 15 digits only.
    lines = (json.dumps({name: _in_json(value) for name, value in row.items()}) for row in table.to_dict("records"))
    (folder / "t.ndjson").write_text("\n".join(lines))
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "odd.parquet", row_group_size=37)
    edges = np.linspace(0, len(table), 9).astype(int)
    for part, (start, stop) in enumerate(itertools.pairwise(edges)):
        piece = pa.Table.from_pandas(
            table.iloc[start:stop], preserve_index=False, schema=pa.Schema.from_pandas(table, preserve_index=False)
        )
        pq.write_table(piece, folder / f"part{part}.parquet")
    files = [str(folder / name) for name in ("t.csv", "odd.parquet", "part*.parquet", "t.ndjson")]
    objects: list[Any] = [table, *(_arrow(table, kind) for kind in ("dictionary", "large", "view"))]
    try:
        import polars as pl

        objects.append(pl.from_pandas(table))
    except ModuleNotFoundError:
        pass
    wanted = registered(settled_hub, str(folder / "t.parquet"))
    for dataset in [*files, *objects]:
        assert registered(settled_hub, dataset) == wanted, dataset


def test_sql_alone_and_the_shell_give_the_sketch_of_python(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            f"{place} {kind}": _column(kind, 700, place)
            for place, kind in enumerate(["float", "date", "moment", "word", "boolean"])
        }
    )
    table["spelt"] = [f"{x:,.2f}" for x in drawn().uniform(0, 9000, 700)]
    table.to_csv(tmp_path / "t.csv", index=False)
    for part in range(8):
        table.iloc[part * 90 : part * 90 + 90].to_parquet(tmp_path / f"part{part}.parquet", index=False)
    path = str(tmp_path / "hub.duckdb")
    with modelhub_sql.connect(path) as hub:
        wanted = registered(hub, table)
    wanted = [tuple(row) for row in wanted]
    for threads in (1, 4):
        with modelhub_sql.connect(path, read_only=True) as hub:
            hub.sql(f"SET threads = {threads}")
            answers = [sketch(hub.con, str(tmp_path / name)) for name in ("t.csv", "part*.parquet")]
        with duckdb.connect(path, read_only=True) as con:
            con.execute(f"SET threads = {threads}")
            answers += [sketch(con, str(tmp_path / name)) for name in ("t.csv", "part*.parquet")]
        for answer in answers:
            assert answer == wanted
    query = (
        f"SELECT md5(list(s)::VARCHAR) AS digest FROM (SELECT {SKETCH} FROM sketch('{tmp_path}/t.csv') ORDER BY feature ASC) AS s"
    )
    shown = subprocess.run(
        [stock_shell(), "-readonly", "-json", path, "-c", query], capture_output=True, text=True, check=True
    ).stdout
    with duckdb.connect(path, read_only=True) as con:
        assert json.loads(shown)[0]["digest"] == con.execute(query).fetchall()[0][0]
