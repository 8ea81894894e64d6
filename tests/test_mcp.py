"""An agent asks a hub by a real client of the Model Context Protocol over stdio."""

from __future__ import annotations

import asyncio
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import data

import modelhub_sql

mcp = pytest.importorskip("mcp", reason="the extra mcp is not installed")


def asked(hub: str, calls: list[tuple[str, dict[str, Any]]], *options: str) -> tuple[list[str], list[Any]]:
    """The names of the tools, and what each call is answered."""
    from mcp.client.stdio import stdio_client

    async def session() -> tuple[list[str], list[Any]]:
        command = mcp.StdioServerParameters(command=sys.executable, args=["-m", "modelhub_sql", "mcp", hub, *options])
        async with stdio_client(command) as (read, write), mcp.ClientSession(read, write) as client:
            await client.initialize()
            names = [tool.name for tool in (await client.list_tools()).tools]
            return names, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(session())


def test_an_agent_finds_explains_lists_and_is_told_what_is_wrong(
    sensor_hub_path: str, sensor_hub: modelhub_sql.Hub, tmp_path: Path
) -> None:
    expected = sensor_hub.find_models(data("torso1"), exclude=["activity"], top=3).dicts()
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(data("torso1"), folder / "target.parquet")
    # A way out of the folder, by a link.
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(data("torso1"), outside / "target.parquet")
    (folder / "link").symlink_to(outside)
    excluded = {"exclude": ["activity"]}
    names, answers = asked(
        sensor_hub_path,
        [
            ("list_models", {}),
            ("find_models", {"target": "target.parquet", "limit": 3, **excluded}),
            ("explain_model", {"model": "leg1", "target": str(folder / "target.parquet"), **excluded}),
            ("explain_model", {"model": "leg", "target": "target.parquet", **excluded}),
            ("find_models", {"target": "target.parquet", "exclude": ["activty"]}),
            ("find_models", {"target": data("torso1"), **excluded}),
            ("find_models", {"target": "../*/target.parquet", **excluded}),
            ("find_models", {"target": "lin?/target.parquet", **excluded}),
            ("find_models", {"target": "http://127.0.0.1/target.parquet"}),
            ("find_models", {"target": "nosuch.parquet"}),
        ],
        "--folder",
        str(folder),
    )
    assert names == ["list_models", "find_models", "explain_model"]
    listed, found, explained, *refused = answers
    assert not listed.is_error
    assert {row["model"] for row in listed.structured_content["models"]} == {row["model"] for row in sensor_hub.models().dicts()}
    assert [(row["model"], row["verdict"]) for row in found.structured_content["models"]] == [
        (row["model"], row["verdict"]) for row in expected
    ]
    assert found.structured_content["summary"]
    assert explained.structured_content["model"]["model"] == "leg1"
    assert explained.structured_content["count"] == 8
    for answer, said in zip(
        refused,
        [
            "ModelNotFoundError",
            "no column 'activty'",
            "is not below",
            "is not below",
            "is not below",
            "is an address",
            "does not exist",
        ],
        strict=True,
    ):
        assert answer.is_error
        assert said in answer.content[0].text


class Loud:
    """A model that runs code when it is loaded, and prints where the protocol is spoken."""

    def __reduce__(self) -> Any:
        return exec, ("print('{}', flush=True)",)


@pytest.mark.long
def test_an_agent_may_try_models_only_where_that_is_asked_for(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io", reason="the extra try is not installed")
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(1)
    rows = pd.DataFrame(random.normal(0, 1, (300, 2)), columns=["x", "y"])
    rows["sold"] = (rows.x + rows.y + random.normal(0, 0.5, 300) > 0).astype(int)
    rows.to_parquet(tmp_path / "target.parquet")
    model = LogisticRegression().fit(rows[["x", "y"]], rows.sold)
    skops.dump(model, tmp_path / "calm.skops")
    (tmp_path / "loud.pkl").write_bytes(pickle.dumps(Loud()))
    path = str(tmp_path / "hub.duckdb")
    with modelhub_sql.connect(path) as hub:
        for file in ("calm.skops", "loud.pkl"):
            hub.register(file.partition(".")[0], rows, exclude=["sold"], uri=str(tmp_path / file))
    call = ("try_models", {"target": str(tmp_path / "target.parquet"), "label": "sold", "rows": 300})
    for option, said in (("--try", "safe is asked for"), ("--try-any", "")):
        names, (answer,) = asked(path, [call], option)
        assert "try_models" in names
        tried = {row["model"]: row for row in answer.structured_content["models"]}
        assert tried["calm"]["score"] == pytest.approx(model.score(rows[["x", "y"]], rows.sold), abs=1e-5)
        assert tried["loud"]["score"] is None
        assert said in tried["loud"]["problem"]
    names, (refused,) = asked(path, [call])
    assert "try_models" not in names
    assert refused.is_error
