"""Commands for what changes, and for sketches and models that travel: a part of the command line (see ``cli``)."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from modelhub_sql import Hub
from modelhub_sql.declared import connect, hub_argument, option_of, options_of, output_options
from modelhub_sql.rendering import print_result, print_sentence
from modelhub_sql.visible import visible

__all__ = ["ALL"]


def _changed(hub: str) -> Hub:
    from modelhub_sql.cli import _existing

    return _existing(hub)


@click.command()
@click.argument("sketches", nargs=-1, required=True, metavar="SKETCH...")
@click.option("-o", "--output", required=True, metavar="FILE", help="The sketch file to write, ...sketch.parquet.")
@click.option("--hub", "path", default=":memory:", help="A hub, whose format and salt the sketches have.")
def merge(sketches: tuple[str, ...], output: str, path: str) -> None:
    """Write the sketch of a dataset from the sketch files of its parts, each of other rows."""
    with connect(path, read_only=path != ":memory:") as open_hub:
        made = open_hub.merge(sketches)
        made.save(output)
    click.echo(f"{visible(output)}: {made.rows} rows, {len(made.features)} features", err=True)


@click.command()
@hub_argument
@click.argument("name")
@click.argument("dataset")
@options_of(Hub.append, but=("name", "dataset"))
def append(hub: str, name: str, dataset: str, **given: Any) -> None:
    """Add the rows of DATASET to what the model NAME in HUB was trained on. The old rows are not needed."""
    with _changed(hub) as open_hub:
        rows = open_hub.append(name, dataset, **given)
    click.echo(f"{visible(name)} has {rows} rows now", err=True)


@click.command()
@hub_argument
@click.argument("name")
@options_of(Hub.remove, but=("name",))
def remove(hub: str, name: str, version: str | None, dry_run: bool) -> None:
    """Remove the model NAME (or all that match a pattern, beer*) from HUB, and sketches that no other model uses."""
    with _changed(hub) as open_hub:
        found = open_hub.remove(name, version, dry_run=dry_run)
    said = ", ".join(f"{model} {its_version}".strip() for model, its_version in found)
    click.echo(visible(f"{'would remove' if dry_run else 'removed'} {said}"), err=True)


@click.command()
@hub_argument
@click.argument("name")
@options_of(Hub.update, but=("name",))
def update(hub: str, name: str, **given: Any) -> None:
    """Change what is known of the model NAME in HUB (its accuracy, where it is ...); what is not given stays."""
    with _changed(hub) as open_hub:
        open_hub.update(name, **given)
    click.echo(visible(f"updated {name}"), err=True)


@click.command()
@hub_argument
@click.argument("name")
@click.argument("alias")
@options_of(Hub.alias, but=("name", "alias"))
def alias(hub: str, name: str, alias: str, version: str | None, remove: bool) -> None:
    """Give ALIAS (champion) to a version of the model NAME in HUB; @champion is that version wherever one is asked for."""
    with _changed(hub) as open_hub:
        given = open_hub.alias(name, alias, version=version, remove=remove)
    said = f"{name} has no {alias} now" if remove else f"{name} {given or ''}".strip() + f" is {alias} now"
    click.echo(visible(said), err=True)


@click.command()
@hub_argument
@click.argument("manifest")
@options_of(Hub.sync, but=("models", "progress", "defaults"))
@option_of(Hub.register, "hide_excluded")
@click.option("--task", help="What the models do, where the manifest does not say.")
@click.option("--framework", help="What the models run on, where the manifest does not say.")
@output_options
def sync(
    hub: str, manifest: str, form: str | None, task: str | None, framework: str | None, hide_excluded: bool, **given: Any
) -> None:
    """Bring HUB in line with MANIFEST, a table with a row for each model: only what is new or changed is sketched.

    docs/manifest.md tells the columns of a manifest. The hub is made if it does not exist.
    """
    told = {"task": task, "framework": framework, "hide_excluded": hide_excluded or None}
    defaults: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    path = ":memory:" if given["dry_run"] and not os.path.exists(hub) else hub
    with connect(path, read_only=given["dry_run"] and path != ":memory:") as open_hub:
        given["exclude"] = list(given["exclude"]) or None
        found = open_hub.sync(manifest, **given, progress=sys.stderr.isatty(), **defaults)
        if form:
            print_result(found, form, empty="")
        else:
            print_result(
                found.filter("action <> 'same'"), form, ("action", "model", "version", "why"), empty="nothing has changed"
            )
    click.echo(found.summary, err=True)


@click.command()
@hub_argument
@click.argument("name")
@click.option("-o", "--output", required=True, metavar="FILE", help="The sketch file to write, ...sketch.parquet.")
@click.option("--version", help="Of the model; by default the latest.")
def export(hub: str, name: str, output: str, version: str | None) -> None:
    """Write the sketch of the data of the model NAME in HUB to a file, which is taken wherever a dataset is."""
    with connect(hub, read_only=True, _numpy=False) as open_hub:
        open_hub.export(name, output, version=version)
    click.echo(visible(f"{output} is the sketch of {name}"), err=True)


@click.command()
@hub_argument
@output_options
def datasets(hub: str, form: str | None) -> None:
    """List the sketched datasets in HUB and the models that were trained on each."""
    with connect(hub, read_only=True, _numpy=False, _late=True) as open_hub:
        found = open_hub.datasets()
        brief = ("dataset_id", "dataset", "rows", "partitions", "features", "models", "source")
        print_result(found, form, brief, empty="the hub has no datasets yet")


@click.command()
@hub_argument
@click.argument("name")
@click.option("--version", help="Of the model; by default the latest.")
@output_options
def show(hub: str, name: str, version: str | None, form: str | None) -> None:
    """Show what HUB knows of the model NAME, and the features of its data."""
    with connect(hub, read_only=True, _numpy=False, _late=True) as open_hub:
        found = open_hub.show(name, version=version)
        if form is None:
            print_sentence(found.summary)
        print_result(found, form, empty="its data has no features")


@click.command()
@hub_argument
@click.argument("model")
@click.argument("target")
@click.argument("score", type=float)
@options_of(Hub.record, but=("model", "target", "score"))
def record(hub: str, model: str, target: str, score: float, **given: Any) -> None:
    """Keep in HUB what MODEL did on TARGET: SCORE, its accuracy there (0.91) or the value of another metric.

    Of enough targets a search says what its verdict cost in this hub: `modelhub outcomes HUB`.
    """
    given = {name: value for name, value in given.items() if value is not None}
    with _changed(hub) as open_hub:
        open_hub.record(model, target, score, **given)
    click.echo(visible(f"recorded {score:g} of {model}"), err=True)


@click.command()
@hub_argument
@output_options
def outcomes(hub: str, form: str | None) -> None:
    """List what was measured of models in HUB on targets, and what the search had said."""
    with connect(hub, read_only=True, _numpy=False, _late=True) as open_hub:
        found = open_hub.outcomes()
        if form is None and len(found):
            print_sentence(found.summary)
        brief = ("model", "version", "target", "verdict", "metric", "score", "lost", "distance", "rows", "recorded_at")
        print_result(found, form, brief, empty="nothing was recorded yet: modelhub record, or modelhub try --record")


#: What ``cli`` adds to the command.
ALL = (merge, append, remove, update, alias, sync, export, datasets, show, record, outcomes)
