"""Commands that look after a hub's file: verify, rescue, backup, compact; and what it gives away."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import click

from modelhub_sql import Hub, upkeep
from modelhub_sql.declared import connect, hub_argument, option_of, output_options
from modelhub_sql.privacy import overview
from modelhub_sql.rendering import print_result, print_sentence
from modelhub_sql.visible import visible

__all__ = ["ALL"]


@click.command()
@hub_argument
def verify(hub: str) -> None:
    """Tell whether HUB is whole: each block that is in use is read, and what is stored in two ways is compared.

    Exit code 1 where it is not; a line on stdout for each fault.
    """
    with connect(hub, read_only=True, _numpy=False) as open_hub:
        found, hub = upkeep.faults(open_hub), open_hub.path
    for fault in found:
        where = "" if fault.dataset_id is None else f"dataset {fault.dataset_id}, "
        where += "" if fault.feature is None else f"feature {fault.feature}: "
        click.echo(visible(where + fault.fault))
    if found:
        click.echo(f"{hub} is not whole: modelhub rescue {hub} -o NEW makes a hub of what is", err=True)
        raise SystemExit(1)
    click.echo(f"{hub} is whole", err=True)


@click.command()
@hub_argument
@click.option("-o", "--output", required=True, metavar="NEW", help="The new hub; no file is overwritten.")
def rescue(hub: str, output: str) -> None:
    """Make a new hub of what can be read of a damaged HUB, which stays as it is."""
    rescued = upkeep.rescue(hub, output)
    if not rescued.log:
        click.echo(f"the log of the last changes ({hub}.wal) can't be read: they are lost", err=True)
    for dataset_id, why in rescued.lost:
        click.echo(visible(f"lost: dataset {dataset_id}: {why}"), err=True)
    if rescued.renamed:
        which = ", ".join(map(str, rescued.renamed))
        click.echo(f"lost: the models of the datasets {which}: one stands for them, called as the dataset", err=True)
    if rescued.outcomes is not None:
        click.echo(visible(f"lost: what was measured of models (outcomes): {rescued.outcomes}"), err=True)
    if rescued.defaults is not None:
        click.echo(visible(f"lost: what was set of searches (modelhub set): {rescued.defaults}"), err=True)
    if rescued.others:
        click.echo(visible(f"not of a hub, left in {hub}: {rescued.others}"), err=True)
    click.echo(f"{output}: {rescued.models} models, {len(rescued.lost)} datasets lost", err=True)


@click.command()
@hub_argument
@click.option("-o", "--output", required=True, metavar="FILE", help="The copy.")
@option_of(Hub.backup, "replace")
def backup(hub: str, output: str, replace: bool) -> None:
    """Copy HUB, which may be open and changed meanwhile. The copy is verified: a damaged hub is not copied."""
    size = upkeep.backup(hub, output, replace)
    click.echo(f"{output}: {size / 1e6:.1f} MB", err=True)


@click.command()
@hub_argument
@click.option("--drop-others", is_flag=True, help="Without tables, views and macros of your own, too, which are not of the hub.")
def compact(hub: str, drop_others: bool) -> None:
    """Write HUB anew, without the room that removed and replaced models have left."""
    wait = click.get_current_context().find_root().params.get("wait", 0)
    before, after = upkeep.compact(hub, wait, drop_others)
    click.echo(f"{hub}: {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now", err=True)


@click.command()
@hub_argument
@click.option("--details", is_flag=True, help="Each feature, and what can be learnt of it, instead of how many there are.")
@output_options
def privacy(hub: str, form: str | None, details: bool) -> None:
    """List what whoever has HUB can learn of single rows and words of the training data.

    --details, --json and --csv list it feature by feature.
    """
    with connect(hub, read_only=True, _numpy=False) as open_hub:
        empty = "nothing of single rows or guessable words was found"
        asked = click.get_current_context().meta
        if form in ("json", "csv") or (details and form) or asked.get("modelhub.wide") or asked.get("modelhub.columns"):
            print_result(open_hub.privacy(), form, empty=empty)
        elif details:
            _print_details(open_hub.privacy().dicts())
        else:
            print_result(overview(open_hub), form, empty=empty)
            print_sentence("--details says of each feature what it means", err=True)


def _print_details(places: list[dict[str, Any]]) -> None:
    for dataset, rows in groupby(places, key=lambda row: row["dataset"]):
        print_sentence(dataset)
        for row in rows:
            of = f"{row['feature']}: " if row["feature"] else ""
            print_sentence(f"  {of}{row['what']} ({row['rows']} rows): {row['meaning']}", indent="    ")


#: What ``cli`` adds to the command.
ALL = (verify, rescue, backup, compact, privacy)
