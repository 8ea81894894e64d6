"""The command line: parses, calls the library, prints. stdout is data, everything else is stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb

from modelhub_sql import Hub, __version__, cli_upkeep, commands, salts, sharding
from modelhub_sql.arguments import described
from modelhub_sql.declared import connect, hub_argument, options_of, output_options
from modelhub_sql.errors import HubError
from modelhub_sql.fetching import is_url
from modelhub_sql.importing import import_models
from modelhub_sql.rendering import print_result, print_sentence
from modelhub_sql.serving import mcp
from modelhub_sql.settings import Settings
from modelhub_sql.shared import is_shared
from modelhub_sql.visible import visible

if TYPE_CHECKING:
    from modelhub_sql.result import Result

__all__ = ["main"]

#: Bytes of a hub, and of a target, from which on the numpy functions are worth their import.
_MUCH_HUB, _MUCH_TARGET = 8_000_000, 2_000_000


#: Commands by what they are for, as ``modelhub --help`` lists them.
_GROUPS = {
    "Find a model": ("find", "explain", "compare", "try", "report", "find-datasets", "pairs", "steps"),
    "Fill a hub": ("init", "check", "register", "sync", "import", "append", "update", "alias", "set", "remove"),
    "Look into it": ("list", "show", "datasets", "record", "outcomes", "privacy"),
    "Sketches instead of data": ("sketch", "merge", "export"),
    "In other places": ("page", "mcp", "shell"),
    "Keep its file": ("verify", "backup", "compact", "rescue", "upgrade"),
}


class _Commands(click.Group):
    """Turns a user's error into one line on stderr and exit code 1."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in _GROUPS.items():
            told = [(name, " ".join((self.commands[name].help or "").partition("\n\n")[0].split())) for name in names]
            with formatter.section(title):
                formatter.write_dl(told, col_max=15)

    def invoke(self, ctx: click.Context) -> Any:
        warnings.showwarning = lambda message, *_: print_sentence(f"warning: {message}", err=True)
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, duckdb.InterruptException, RuntimeError) as error:
            # DuckDB's own words for Ctrl-C.
            if isinstance(error, RuntimeError) and "interrupted" not in str(error):
                raise
            click.echo("interrupted: nothing was changed", err=True)
            ctx.exit(130)
        except (HubError, duckdb.Error) as error:
            print_sentence("error: " + " ".join(str(error).split()), err=True)
            ctx.exit(1)


_FIRST = """Which of these models fits my data? Register each model
(the first makes the hub), find, and ask why:

  modelhub register hub.duckdb NAME DATA --exclude LABEL
  modelhub find hub.duckdb TARGET --exclude LABEL
  modelhub explain hub.duckdb NAME TARGET --exclude LABEL

DATA and TARGET: parquet, csv, json, or a glob. Many models
at once: modelhub register hub.duckdb --manifest models.csv
All commands: modelhub --help
"""


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__)
@click.option("--wait", type=float, default=0, metavar="SECONDS", help="Wait so long for a hub that another process has open.")
@click.option("--swap", is_flag=True, help="Change a copy, and let it take the hub's place: who reads it is not kept waiting.")
@click.option("--salt-file", metavar="FILE", help="The salt of the hub, which is not in its file ($MODELHUB_SALT_FILE).")
@click.pass_context
def main(context: click.Context, wait: float, swap: bool, salt_file: str | None) -> None:
    """Which of these models fits my data?

    A hub is one DuckDB file: it holds sketches of the data that models were trained on, and
    the SQL to search them. `modelhub COMMAND --help` tells what a command takes.

    Exit codes: 0 done, 1 refused (one line on stderr says why), 2 wrong usage.
    """
    if context.invoked_subcommand is None:
        click.echo(_FIRST, nl=False)


def _named(texts: tuple[str, ...], names: tuple[str, ...], what: str) -> dict[str, Any]:
    """Settings as ``NAME=VALUE``, the value JSON or else text."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in names:
            raise click.UsageError(f"{what} NAME=VALUE, NAME one of {', '.join(names)}; got {text}")
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


@main.command()
@hub_argument
@click.option("--partition-size", type=int, help="Rows in a partition (default 500).")
@click.option("--partitioning", type=click.Choice(["random", "sequential"]), help="How rows fall into partitions.")
@click.option("--text-bins", type=int, help="Bins for tokens of text.")
@click.option("--seed", type=int, help="Seed of all hash functions.")
@click.option("--new-salt", metavar="FILE", help="Hash texts with a salt made by chance, kept in this new FILE, not in HUB.")
@click.option("--setting", "more", metavar="NAME=VALUE", multiple=True, help="Any other setting (JSON value); repeatable.")
def init(hub: str, more: tuple[str, ...], new_salt: str | None, **given: Any) -> None:
    """Make a new, empty HUB."""
    settings = {name: value for name, value in given.items() if value is not None}
    settings |= _named(more, Settings.names(), "--setting takes")
    existed = os.path.exists(hub)
    if new_salt is not None:
        if existed:
            raise click.UsageError(f"{hub} is there already: its salt can't be changed")
        settings["salt"] = salts.write_new(new_salt)
    with connect(hub, **settings) as open_hub:
        existed = existed or (open_hub._shared is not None and not open_hub._shared.is_new)
    click.echo(f"{open_hub.path} {'is a hub already, left as it is' if existed else 'is ready'}", err=True)


@main.command()
@hub_argument
@click.argument("name", required=False)
@click.argument("dataset", required=False)
@options_of(Hub.register, but=("name", "dataset"))
@click.option("--manifest", metavar="FILE", help="Instead of NAME and DATASET: a table with a row for each model.")
def register(hub: str, name: str | None, dataset: str | None, manifest: str | None, **given: Any) -> None:
    """Register the model NAME, trained on DATASET (parquet, csv, json or a glob), in HUB.

    The hub is made if it does not exist. Only a sketch of the dataset is kept.
    """
    if manifest is not None:
        if name is not None or any(value not in (None, False, ()) for value in given.values()):
            raise click.UsageError("--manifest names models, datasets and all else itself: give nothing beside it")
        with connect(hub) as open_hub:
            count = open_hub.register_many(manifest, progress=sys.stderr.isatty())
        click.echo(f"registered {count} models", err=True)
        return
    if name is None or (dataset is None) == (given["like"] is None):
        raise click.UsageError("give NAME and DATASET, or NAME and --like MODEL, or --manifest FILE")
    with connect(hub) as open_hub:
        open_hub.register(name, dataset, **given)
    click.echo(f"registered {name}", err=True)


@main.command()
@click.argument("dataset")
@click.option("--hub", "path", default=":memory:", help="A hub, whose models tell which columns are labels.")
@options_of(Hub.check, but=("dataset",))
@output_options
def check(dataset: str, path: str, form: str | None, **given: Any) -> None:
    """List the columns of DATASET that say nothing (keys, constants), and the --exclude to paste."""
    # With pyarrow, half a second: where it is asked for.
    from modelhub_sql.check import as_result, exclude_line, findings

    with connect(path, read_only=path != ":memory:") as open_hub:
        found = findings(open_hub, dataset, given["exclude"], given["read"])
        print_result(as_result(open_hub, found), form, empty="every column says something")
        if found and not form:
            click.echo(exclude_line(found))


@main.command()
@click.argument("dataset")
@click.option("-o", "--output", required=True, metavar="FILE", help="The sketch file to write, ...sketch.parquet.")
@click.option("--hub", "path", default=":memory:", help="A hub, whose format and salt the sketch is to have.")
@click.option("--processes", type=click.IntRange(1), help="Sketch it shard by shard, in so many processes.")
@options_of(Hub.sketch, but=("dataset",))
def sketch(dataset: str, output: str, path: str, processes: int | None, **given: Any) -> None:
    """Write the sketch of DATASET to a file, which goes wherever a dataset goes: the data need not."""
    with connect(path, read_only=path != ":memory:") as open_hub:
        if processes is None:
            made = open_hub.sketch(dataset, **given)
        else:
            made = sharding.in_processes(sharding.shards(dataset, processes, hub=open_hub, **given), processes)
        made.save(output)
    size = Path(output).stat().st_size
    click.echo(f"{visible(output)}: {made.rows} rows, {len(made.features)} features, {size / 1000:.0f} kB", err=True)


@main.command()
@hub_argument
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@options_of(Hub.find_models, but=("target", "top"))
@click.option("--top", "--limit", "top", type=click.IntRange(1), help="At most so many models.")
@click.option("--plot", metavar="FILE", help="Draw it into FILE, too (.png, .svg, .html); extra plots.")
@output_options
def find(hub: str, targets: tuple[str, ...], plot: str | None, form: str | None, **options: Any) -> None:
    """Find the models in HUB that fit TARGET (parquet, csv, json or a glob), best first.

    Of several TARGETs each is answered for itself, in one table; by default the best three models of each.
    """
    if len(targets) > 1:
        if plot is not None:
            raise click.UsageError("--plot draws the answer for one TARGET")
        _find_for_each(hub, targets, form, options)
        return
    (target,) = targets
    with connect(hub, read_only=True, _numpy=plot is not None or _is_much(hub, target), _late=True) as open_hub:
        found = open_hub.find_models(target, **options)
        _draw(found, plot)
        if found.summary and form is None:
            # In json and csv it is a column.
            print_sentence(found.summary, err=not len(found))
        # What people decide by comes first.
        brief = "rank, model, verdict, distance, overlap, source_accuracy, version, adaptivity, coverage, uri"
        print_result(found, form, brief.split(", "), empty="no model in the hub fits the target")


def _find_for_each(hub: str, targets: tuple[str, ...], form: str | None, options: dict[str, Any]) -> None:
    from modelhub_sql.batch import found_for_each

    with connect(hub, read_only=True) as open_hub:
        found = found_for_each(open_hub, list(targets), options | {"top": options["top"] or 3})
        if form is None:
            print_sentence(found.summary)
        brief = "target, rank, model, verdict, distance, overlap, source_accuracy, version"
        print_result(found, form, brief.split(", "), empty="no model in the hub fits a target")
    if found.problems:
        sys.exit(1)


@main.command("try")
@hub_argument
@click.argument("target")
@click.option("--label", metavar="COLUMN", required=True, help="The column to predict; rows where it is missing are not used.")
@options_of(Hub.try_models, but=("target", "label", "load"))
@output_options
def try_models(hub: str, target: str, form: str | None, **options: Any) -> None:
    """Load the first models of a search, run them on labelled rows of TARGET and measure them.

    Loading a model runs the code that is in it, unless it is ONNX or skops (--safe).
    """
    given = {name: value for name, value in options.items() if value is not None}
    with _existing(hub) if options["record"] else _searched(hub, target) as open_hub:
        found = open_hub.try_models(target, **given)
        if form is None:
            print_sentence(found.summary, err=not len(found))
        brief = "model, version, score, low, high, verdict, distance, format, seconds, problem"
        print_result(found, form, brief.split(", "), empty="no model was tried")


@main.command()
@hub_argument
@click.argument("target")
@options_of(Hub.find_datasets, but=("target",))
@output_options
def find_datasets(hub: str, target: str, form: str | None, **options: Any) -> None:
    """Find the datasets in HUB that are like TARGET, nearest first, whatever was trained on them."""
    with _searched(hub, target) as open_hub:
        found = open_hub.find_datasets(target, **options)
        brief = "rank, dataset, verdict, distance, overlap, rows, models, source"
        print_result(found, form, brief.split(", "), empty="no dataset in the hub is like the target")


@main.command()
@hub_argument
@click.option("--limit", type=click.IntRange(1), help="At most so many pairs, the nearest.")
@click.option("--plot", metavar="FILE", help="Draw it into FILE, too (.png, .svg, .html); extra plots.")
@output_options
def pairs(hub: str, limit: int | None, plot: str | None, form: str | None) -> None:
    """Compare all datasets in HUB with all: which are alike? Nearest first, a line for each direction."""
    with connect(hub, read_only=True) as open_hub:
        found = open_hub.dataset_pairs()
        _draw(found, plot)
        brief = "target, dataset, distance, overlap, js_divergence, target_rows, rows"
        print_result(found, form, brief.split(", "), limit, empty="no two datasets in the hub share a feature of one name")


@main.command()
@hub_argument
@click.argument("model")
@click.argument("target")
@options_of(Hub.explain, Hub.explain_partitions, but=("model", "target"))
@click.option("--partitions", is_flag=True, help="Partition by partition instead of feature by feature.")
@click.option("--plot", metavar="FILE", help="Draw it into FILE, too (.png, .svg, .html); extra plots.")
@output_options
def explain(hub: str, model: str, target: str, partitions: bool, plot: str | None, form: str | None, **options: Any) -> None:
    """Explain why MODEL in HUB fits TARGET: which features match, how well, and what is covered."""
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    for name in set(given) - set(described(Hub.explain_partitions if partitions else Hub.explain)):
        flag = f"--{name.replace('_', '-')}"
        reason = "tells of features: not with --partitions" if partitions else "compares partitions: give --partitions, too"
        raise click.UsageError(f"{flag} {reason}")
    if plot and partitions:
        raise click.UsageError("--plot draws feature by feature: leave --partitions out")
    with connect(hub, read_only=True, _numpy=plot is not None or _is_much(hub, target), _late=True) as open_hub:
        if partitions:
            covered = open_hub.explain_partitions(model, target, **given)
            empty = "the model shares too little with the target, or others are nearer (max_candidates)"
            print_result(covered, form, empty=empty)
        else:
            why = open_hub.explain(model, target, **given)
            _draw(why, plot)
            if form is None:
                print_sentence(_judged(open_hub, model, target, given, why))
            brief = "target_feature, distance, reason, target_range, source_range, source_feature, kind"
            print_result(why, form, brief.split(", "), empty="the target has no features")


def _judged(hub: Hub, model: str, target: str, given: Mapping[str, Any], why: Result) -> str:
    """The verdict on a model that was explained, in a sentence, whatever rank it has."""
    options = {name: given.get(name) for name in ("features", "min_jaccard")}
    explained = (model, given.get("version"))
    (row,) = hub._search(
        "judged_model", target, exclude=given.get("exclude", ()), options=options, explained=explained, read=given.get("read")
    ).dicts()
    name, lacked = row["model"], row["missing_features"]
    if row["verdict"] is None:
        return f"{name}: {row['dropped']}"
    if row["verdict"] == "same":
        return f"{name} fits: its data and the target are the same, as far as the rows can tell"
    fits = {"close": "is close", "partly": "fits partly"}.get(row["verdict"], "is far")
    farthest = max((each for each in why.dicts() if each["distance"] is not None), key=lambda each: each["distance"])
    return f"{name} {fits} (distance {row['distance']:.2f}): {farthest['target_feature']} differs most" + (
        f"; it lacks {lacked} of {lacked + row['shared_features']} features" if lacked else ""
    )


@main.command()
@hub_argument
@click.argument("target")
@options_of(Hub.find_models, but=("target",))
@click.option("-o", "--output", required=True, metavar="FILE", help="The report to write, ...html.")
def report(hub: str, target: str, output: str, **options: Any) -> None:
    """Write a report on TARGET, one HTML file that opens offline: ranking, reasons, pictures; extra plots."""
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    with connect(hub, read_only=True) as open_hub:
        written = open_hub.report(target, output, **given)
    click.echo(f"{visible(written)}: {Path(written).stat().st_size / 1000:.0f} kB", err=True)


@main.command()
@hub_argument
@click.option("-o", "--output", required=True, metavar="FOLDER", help="The folder to write; an earlier page there is replaced.")
@click.option("--engine", metavar="SITE", help="Take DuckDB-Wasm from a page that was made elsewhere, without npm or a network.")
def page(hub: str, output: str, engine: str | None) -> None:
    """Write a page for the browser: who opens it drops a table and sees which models in HUB fit.

    The page is files, to be served by any web server; the table stays in the browser. The hub's sketches are in
    the page: who can open it can copy them. Needs npm once (extra page).
    """
    with connect(hub, read_only=True) as open_hub:
        written = open_hub.page(output, engine=engine)
    size = sum(file.stat().st_size for file in Path(written).iterdir())
    click.echo(
        f"{visible(written)}: {size / 1e6:.0f} MB; python -m http.server -d {visible(shlex.quote(written))} serves it", err=True
    )


@main.command()
@hub_argument
@click.argument("model")
@click.argument("other")
@click.argument("target")
@options_of(Hub.compare, but=("model", "other", "target"))
@output_options
def compare(hub: str, model: str, other: str, target: str, form: str | None, **options: Any) -> None:
    """Compare MODEL and OTHER in HUB: which is nearer to TARGET, feature by feature, and why."""
    with _searched(hub, target) as open_hub:
        found = open_hub.compare(model, other, target, **options)
        if found.summary and form is None:
            print_sentence(found.summary)
        brief = "target_feature, nearer, distance, other_distance, target_range, source_range, other_range, reason, other_reason"
        print_result(found, form, brief.split(", "), empty="the target has no features")


@main.command()
@hub_argument
@click.argument("target")
@options_of(Hub.find_models, but=("target",))
@output_options
def steps(hub: str, target: str, form: str | None, **options: Any) -> None:
    """Find the models in HUB that fit TARGET step by step: the rows and seconds of each relation."""
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    with connect(hub, read_only=True) as open_hub:
        print_result(open_hub.steps(target, **given), form, empty="there was nothing to do")


@main.command("list")
@hub_argument
@options_of(Hub.models, but=())
@click.option("--limit", type=click.IntRange(1), help="At most so many models.")
@output_options
def list_models(hub: str, limit: int | None, form: str | None, **given: Any) -> None:
    """List the models in HUB."""
    with connect(hub, read_only=True, _numpy=False, _late=True) as open_hub:
        brief = "model, version, source_accuracy, task, framework, rows, source, uri"
        print_result(open_hub.models(**given), form, brief.split(", "), limit, empty="the hub has no such model")


main.add_command(import_models)
main.add_command(mcp)


@main.command("set")
@hub_argument
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
def change(hub: str, settings: tuple[str, ...]) -> None:
    """Change what a search in HUB does unless it is told otherwise.

    `modelhub shell HUB -c "FROM settings"` tells the names, values and meanings.
    """
    given = _named(settings, tuple(described(Hub.set)), "set takes")
    with _existing(hub) as open_hub:
        open_hub.set(**given)
    click.echo(f"set {', '.join(given)}", err=True)


@main.command()
@hub_argument
@click.option("--script", is_flag=True, help="Print the SQL that does it, for any DuckDB client, and change nothing.")
def upgrade(hub: str, script: bool) -> None:
    """Bring the logic that HUB carries, for clients without Python, to this version's.

    Searching from Python does not need it.
    """
    if script:
        with connect(hub, read_only=True, _numpy=False) as open_hub:
            click.echo(open_hub.upgrade_script(), nl=False)
        return
    with _existing(hub) as open_hub:
        was_another = open_hub.upgrade()
    click.echo(f"{hub} {'is upgraded' if was_another else 'has the logic of this version already'}", err=True)


@main.command()
@hub_argument
@click.option("-c", "query", help="Run one query and leave.")
@click.option("--read-only", is_flag=True, help="Do not change the hub.")
@output_options
def shell(hub: str, query: str | None, read_only: bool, form: str | None) -> None:
    """Open SQL on HUB, with the fast functions loaded; try `FROM help`."""
    with connect(hub, read_only=True) if read_only or is_url(hub) or is_shared(hub) else _existing(hub) as open_hub:
        if query is not None:
            print_result(open_hub.sql(query), form, empty="no rows")
            return
        if sys.stdin.isatty():  # pragma: no cover
            click.echo("SQL on the hub; end a query with ;, leave with Ctrl-D. Try: FROM help;", err=True)
        statement = ""
        for line in iter(_read_line, None):
            statement += line + "\n"
            if line.rstrip().endswith(";"):
                try:
                    print_result(open_hub.sql(statement), form, empty="no rows")
                except (HubError, duckdb.Error) as error:
                    click.echo(f"error: {error}", err=True)
                statement = ""
        if statement.strip():
            print_result(open_hub.sql(statement), form, empty="no rows")


def _read_line() -> str | None:
    try:
        return input("modelhub> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _existing(hub: str) -> Hub:
    # A command that changes models has nothing to change in a hub that it would have to make.
    if is_shared(hub):
        return connect(hub, _numpy=False, _make=False)
    if not os.path.exists(hub) and not is_url(hub):
        connect(hub, read_only=True).close()
    return connect(hub, _numpy=False)


def _searched(hub: str, target: str) -> Hub:
    return connect(hub, read_only=True, _numpy=_is_much(hub, target))


def _is_much(hub: str, target: str) -> bool:
    """Whether the numpy functions, which take a third of a second to import, save more than that."""
    try:
        return Path(hub).stat().st_size > _MUCH_HUB or Path(target).stat().st_size > _MUCH_TARGET
    except (OSError, ValueError):
        # A glob, or what connect will refuse.
        return True


def _draw(result: Any, plot: str | None) -> None:
    if plot is not None:
        from modelhub_sql import plots

        plots.save(result.plot(), plot)
        click.echo(f"drawn: {visible(plot)}", err=True)


for each in (*commands.ALL, *cli_upkeep.ALL):
    main.add_command(each)

if __name__ == "__main__":
    main()
