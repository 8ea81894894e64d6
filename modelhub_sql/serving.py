"""`modelhub mcp`: a hub for agents, over stdio."""

from __future__ import annotations

import click

from modelhub_sql.declared import connect, hub_argument

__all__ = ["mcp"]


@click.command()
@hub_argument
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Read only files below this folder (default: any).")
@click.option("--try", "may_try", is_flag=True, help="Let the agent try models of formats that run no code (onnx, skops).")
@click.option("--try-any", "any_format", is_flag=True, help="Let it try all models, which runs the code that is in them.")
def mcp(hub: str, folder: str | None, may_try: bool, any_format: bool) -> None:
    """Serve HUB to agents by the Model Context Protocol over stdio: find, explain and list, read only.

    In the settings of an agent: {"mcpServers": {"modelhub": {"command": "modelhub", "args": ["mcp", "hub.duckdb"]}}}
    """
    from modelhub_sql.mcp import server

    with connect(hub, read_only=True) as open_hub:
        server(open_hub, folder=folder, may_try=may_try or any_format, any_format=any_format).run()
