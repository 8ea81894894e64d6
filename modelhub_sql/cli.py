"""The command line: parses, calls the library, prints. stdout is data, everything else is stderr."""

from __future__ import annotations

import csv
import json
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from modelhub_sql import __version__, connect
from modelhub_sql.check import as_result, exclude_line, findings
from modelhub_sql.errors import HubError
from modelhub_sql.settings import RANK_METRICS, Settings
from modelhub_sql.visible import visible

try:
    import click
    from rich import box
    from rich.console import Console
    from rich.table import Table
except ModuleNotFoundError as missing:  # pragma: no cover
    sys.exit(f"the command line needs {missing.name}: pip install 'modelhub-sql[cli]'")

__all__ = ["main"]


class _Commands(click.Group):
    """Turns a user's error into one line on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        warnings.showwarning = lambda message, *_: click.echo(visible(f"warning: {message}"), err=True)
        try:
            return super().invoke(ctx)
        except (HubError, duckdb.Error) as error:
            click.echo(visible("error: " + " ".join(str(error).split())), err=True)
            ctx.exit(1)
        except (KeyboardInterrupt, RuntimeError) as error:
            # DuckDB's own word for Ctrl-C.
            if isinstance(error, RuntimeError) and "interrupted" not in str(error):
                raise
            click.echo("interrupted: nothing was changed", err=True)
            ctx.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Which of these models fits my data?

    A hub is one DuckDB file: it holds sketches of the data that models were trained on, and
    the SQL to search them. `modelhub COMMAND --help` tells what a command takes.

    Exit codes: 0 done, 1 refused (one line on stderr says why), 2 wrong usage.
    """


def _hub(command: Callable[..., None]) -> Callable[..., None]:
    def checked(_: click.Context, __: click.Parameter, path: str) -> str:
        if path in ("", ":memory:"):
            raise click.BadParameter(f"a hub is a file, got {path!r}")
        return path

    return click.argument("hub", type=click.Path(dir_okay=False), callback=checked)(command)


def _output(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--csv", "form", flag_value="csv", help="Print CSV.")(command)
    return click.option("--json", "form", flag_value="json", help="Print a JSON array of objects.")(command)


def _exclude(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--exclude", metavar="COLUMN", multiple=True, help="Leave out a column (label, id); repeatable.")(command)


def _thresholds(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--search", type=click.Choice(["auto", "exact", "lsh"]), help="How partitions are compared."),
        click.option("--sample-space", type=click.Choice(["aligned", "flattened"]), help="Feature by feature, or all in one."),
        click.option("--max-js", metavar="T", help="Two partitions match up to this JS divergence; a number or auto."),
        click.option("--min-jaccard", type=float, metavar="T2", help="Two features are equivalent above this similarity."),
        click.option("--min-overlap", type=float, metavar="T1", help="Share of the target's features that a model must have."),
    ):
        command = option(command)
    return command


@main.command()
@_hub
@click.option("--partition-size", type=int, help="Rows in a partition (default 500).")
@click.option("--partitioning", type=click.Choice(["random", "sequential"]), help="How rows fall into partitions.")
@click.option("--number-bins", type=int, help="Bins for numbers.")
@click.option("--text-bins", type=int, help="Bins for tokens of text.")
@click.option("--seed", type=int, help="Seed of all hash functions.")
@click.option("--setting", "more", metavar="NAME=VALUE", multiple=True, help="Any other setting (JSON value); repeatable.")
def init(hub: str, more: tuple[str, ...], **given: Any) -> None:
    """Make a new, empty HUB."""
    settings = {name: value for name, value in given.items() if value is not None}
    for setting in more:
        name, equals, value = setting.partition("=")
        if not equals or name not in Settings.names():
            raise click.UsageError(f"--setting takes NAME=VALUE, NAME one of {', '.join(Settings.names())}; got {setting}")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    existed = Path(hub).exists()
    connect(hub, **settings).close()
    click.echo(f"{hub} {'is a hub already, left as it is' if existed else 'is ready'}", err=True)


@main.command()
@_hub
@click.argument("name", required=False)
@click.argument("dataset", required=False)
@_exclude
@click.option("--accuracy", type=float, help="Accuracy on the source dataset, in [0, 1].")
@click.option("--version", help="Version of the model.")
@click.option("--task", help="What the model does.")
@click.option("--framework", help="What the model runs on.")
@click.option("--uri", help="Where the model is.")
@click.option("--metadata", metavar="JSON", help="Anything else, a JSON object.")
@click.option("--like", metavar="MODEL", help="Instead of DATASET: a registered model trained on the same data.")
@click.option("--replace", is_flag=True, help="Replace the model of that name and version.")
@click.option("--manifest", metavar="FILE", help="Instead of NAME and DATASET: a table with a row for each model.")
def register(hub: str, name: str | None, dataset: str | None, manifest: str | None, metadata: str | None, **given: Any) -> None:
    """Register the model NAME, trained on DATASET (parquet, csv, json or a glob), in HUB.

    The hub is made if it does not exist. Only a sketch of the dataset is kept.
    """
    if manifest is not None:
        others = [key for key, value in given.items() if value]
        if name is not None or others or metadata is not None:
            raise click.UsageError("--manifest names models, datasets and all else itself: give nothing beside it")
        with connect(hub) as open_hub:
            count = open_hub.register_many(manifest, progress=sys.stderr.isatty())
        click.echo(f"registered {count} models", err=True)
        return
    if name is None or (dataset is None) == (given["like"] is None):
        raise click.UsageError("give NAME and DATASET, or NAME and --like MODEL, or --manifest FILE")
    try:
        described = None if metadata is None else json.loads(metadata)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--metadata is not JSON: {error}") from error
    with connect(hub) as open_hub:
        open_hub.register(name, dataset, metadata=described, **given)
    click.echo(f"registered {name}", err=True)


@main.command()
@click.argument("dataset")
@click.option("--hub", "path", default=":memory:", help="A hub, whose models tell which columns are labels.")
@_exclude
@_output
def check(dataset: str, path: str, exclude: tuple[str, ...], form: str | None) -> None:
    """List the columns of DATASET that say nothing (keys, constants), and the --exclude to paste."""
    with connect(path, read_only=path != ":memory:") as open_hub:
        found = findings(open_hub, dataset, exclude)
        _print(as_result(open_hub, found).relation, form, empty="every column says something")
        if found and not form:
            click.echo(exclude_line(found))


@main.command()
@_hub
@click.argument("target")
@_exclude
@_thresholds
@click.option("--min-adaptivity", type=float, help="Least adaptivity of a model.")
@click.option("--max-divergence", type=float, help="Greatest JS divergence of a model's whole dataset.")
@click.option("--rank-by", type=click.Choice(RANK_METRICS), help="What decides the order.")
@click.option("--limit", type=click.IntRange(1), help="At most so many models.")
@_output
def find(hub: str, target: str, limit: int | None, form: str | None, **options: Any) -> None:
    """Find the models in HUB that fit TARGET (parquet, csv, json or a glob), best first."""
    with connect(hub, read_only=True) as open_hub:
        found = open_hub.find_models(target, **options)
        brief = "rank, model, version, adaptivity, coverage, js_divergence, overlap, shared_features, source_accuracy, uri"
        shown = found if form else found.select(brief)
        _print(shown.limit(limit) if limit else shown, form, empty="no model in the hub fits the target")


@main.command()
@_hub
@click.argument("model")
@click.argument("target")
@_exclude
@_thresholds
@click.option("--version", help="Version of the model; the latest by default.")
@click.option("--partitions", is_flag=True, help="Partition by partition instead of feature by feature.")
@_output
def explain(hub: str, model: str, target: str, partitions: bool, form: str | None, **options: Any) -> None:
    """Explain why MODEL in HUB fits TARGET: which features match, how well, and what is covered."""
    given = {name: value for name, value in options.items() if value is not None}
    if not partitions:
        for name in set(given) - {"exclude", "version", "min_jaccard"}:
            raise click.UsageError(f"--{name.replace('_', '-')} compares partitions: give --partitions, too")
    with connect(hub, read_only=True) as open_hub:
        if partitions:
            covered = open_hub.explain_partitions(model, target, **given)
            _print(covered, form, empty="the model shares too little with the target, or others are nearer (max_candidates)")
        else:
            _print(open_hub.explain(model, target, **given), form, empty="the target has no features")


@main.command("list")
@_hub
@_output
def list_models(hub: str, form: str | None) -> None:
    """List the models in HUB."""
    with connect(hub, read_only=True) as open_hub:
        models = open_hub.models()
        shown = models if form else models.select("model, version, source_accuracy, task, framework, uri, rows, source")
        _print(shown, form, empty="the hub has no models yet")


@main.command()
@_hub
@click.argument("name")
@click.option("--version", help="Only this version.")
def remove(hub: str, name: str, version: str | None) -> None:
    """Remove the model NAME from HUB, and its sketch when no other model uses it."""
    with _existing(hub) as open_hub:
        open_hub.remove(name, version)
    click.echo(f"removed {name}", err=True)


@main.command()
@_hub
@click.option("-c", "query", help="Run one query and leave.")
@click.option("--read-only", is_flag=True, help="Do not change the hub.")
@_output
def shell(hub: str, query: str | None, read_only: bool, form: str | None) -> None:
    """Open SQL on HUB, with the fast functions loaded; try `FROM help`."""
    with connect(hub, read_only=True) if read_only else _existing(hub) as open_hub:
        if query is not None:
            _print(open_hub.sql(query), form, empty="no rows")
            return
        if sys.stdin.isatty():  # pragma: no cover
            click.echo("SQL on the hub; end a query with ;, leave with Ctrl-D. Try: FROM help;", err=True)
        statement = ""
        for line in iter(_read_line, None):
            statement += line + "\n"
            if line.rstrip().endswith(";"):
                try:
                    _print(open_hub.sql(statement), form, empty="no rows")
                except (HubError, duckdb.Error) as error:
                    click.echo(f"error: {error}", err=True)
                statement = ""
        if statement.strip():
            _print(open_hub.sql(statement), form, empty="no rows")


def _read_line() -> str | None:
    try:
        return input("modelhub> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _existing(hub: str) -> Any:
    # A command that changes models has nothing to change in a hub that it would have to make.
    connect(hub, read_only=True).close()
    return connect(hub)


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [_finite(element) for element in value]
    if isinstance(value, dict):
        return {key: _finite(element) for key, element in value.items()}
    return value


def _print(relation: duckdb.DuckDBPyRelation | None, form: str | None, *, empty: str) -> None:
    if relation is None:
        return
    columns = relation.columns
    rows = relation.fetchall()
    if form == "json":
        objects = [dict(zip(columns, map(_finite, row), strict=True)) for row in rows]
        click.echo(json.dumps(objects, default=str, indent=2))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif not rows:
        click.echo(empty, err=True)
    else:
        table = Table(box=box.SIMPLE)
        for column in columns:
            table.add_column(visible(column), overflow="fold")
        for row in rows:
            shown = ("" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value) for value in row)
            table.add_row(*map(visible, shown))
        Console(markup=False, width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
