"""An agent asks a hub over stdio which model fits a table, and why: the calls that it makes, made by hand.

python examples/registries/agent.py
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

import modelhub_sql

DATA = Path(__file__).parents[1] / "quickstart" / "data"
LEFT_OUT = ["label?", "split?"]


async def ask(hub: str) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "modelhub_sql", "mcp", hub, "--folder", str(DATA)])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as agent:
        await agent.initialize()
        target: dict[str, Any] = {"target": "dblp_scholar.parquet", "exclude": LEFT_OUT}
        for tool, arguments in (
            ("find_models", target),
            ("explain_model", {"model": "dblp_acm", "limit": 3, **target}),
            ("find_models", {"target": "no_such.parquet"}),
        ):
            answer = await agent.call_tool(tool, arguments)
            text = "".join(getattr(part, "text", "") for part in answer.content)
            print(f"{tool}: {text[:400]}" if answer.is_error else f"{tool}: {json.dumps(json.loads(text))[:400]}")


def main(folder: Path) -> None:
    path = str(folder / "hub.duckdb")
    with modelhub_sql.connect(path) as hub:
        for task in ("dblp_acm", "beer", "fodors_zagats"):
            hub.register(task, DATA / f"{task}.parquet", exclude=LEFT_OUT)
    asyncio.run(ask(path))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
