"""`modelhub import`: models from elsewhere into a hub, a subcommand for each kind of source."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from modelhub_sql import Hub
from modelhub_sql.declared import connect, hub_argument, option_of, options_of, output_options
from modelhub_sql.rendering import print_result, print_sentence

__all__ = ["import_models"]


@click.group("import")
def import_models() -> None:
    """Bring models that are somewhere else into a hub.

    What can't be taken is listed with the reason. Again, it takes what is new.
    """


@import_models.command("mlflow")
@click.argument("uri")
@hub_argument
@click.option("--experiment", metavar="NAME", multiple=True, help="Only models of this experiment's runs; repeatable.")
@click.option("--exclude", metavar="COLUMN", multiple=True, help="Columns to leave out where they occur (a label); repeatable.")
@option_of(Hub.register, "hide_excluded")
@click.option("--accuracy", metavar="METRIC", help="The metric that is the accuracy (default accuracy, test_accuracy ...).")
@click.option("--tag", is_flag=True, help="Tag each version in MLflow with the hub that knows it.")
@click.option("--dry-run", is_flag=True, help="Register nothing, say what would be.")
@output_options
def from_mlflow(uri: str, hub: str, form: str | None, **options: Any) -> None:
    """Register the model versions of the MLflow registry at URI (sqlite:///mlflow.db, http://...) in HUB.

    The data is what the run of a model logged as input for training, or the sketch that modelhub_sql.mlflow.log_sketch
    left there.
    """
    from modelhub_sql.mlflow import import_models as imported

    for noisy in ("alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    is_new = options["dry_run"] and not os.path.exists(hub)
    with connect(":memory:" if is_new else hub, read_only=options["dry_run"] and not is_new) as open_hub:
        try:
            found = imported(open_hub, uri, **options, progress=sys.stderr.isatty())
        except (KeyboardInterrupt, RuntimeError) as error:
            # DuckDB's own word for Ctrl-C.
            if isinstance(error, RuntimeError) and "interrupted" not in str(error):
                raise
            click.echo("interrupted: what was registered stays, and the same command goes on from there", err=True)
            click.get_current_context().exit(130)
        brief = [column for column in found.columns if column != "excluded"]
        print_result(found, form, brief, empty="the registry has no model versions")
    print_sentence(found.summary, err=True)


@import_models.command("hf")
@click.argument("folder", type=click.Path(file_okay=False))
@hub_argument
@click.option("--datasets", metavar="FOLDER", multiple=True, help="Look for datasets here (default: FOLDER, caches); repeatable.")
@click.option("--exclude", metavar="COLUMN", multiple=True, help="Columns to leave out where they occur (a label); repeatable.")
@option_of(Hub.register, "hide_excluded")
@click.option("--accuracy", metavar="METRIC", default="accuracy", help="The metric of the cards that is the accuracy.")
@click.option("--dry-run", is_flag=True, help="Register nothing, say what would be.")
@output_options
def from_hugging_face(folder: str, hub: str, form: str | None, **options: Any) -> None:
    """Register the models in FOLDER (a cache of Hugging Face, or models with their README.md) in HUB.

    The data is the dataset that a model's card names, where it is on this machine. Nothing is downloaded.
    """
    from modelhub_sql.huggingface import import_models as imported

    is_new = options["dry_run"] and not os.path.exists(hub)
    with connect(":memory:" if is_new else hub, read_only=options["dry_run"] and not is_new) as open_hub:
        found = imported(open_hub, folder, **options, progress=sys.stderr.isatty())
        brief = [column for column in found.columns if column != "excluded"]
        print_result(found, form, brief, empty="no model has a card (README.md) there")
    print_sentence(found.summary, err=True)


@import_models.command("hub")
@click.argument("other")
@hub_argument
@click.option("--model", "models", metavar="NAME", multiple=True, help="Only models of this name or pattern (beer*); repeatable.")
@options_of(Hub.import_hub, but=("other", "models"))
@output_options
def from_hub(other: str, hub: str, form: str | None, **options: Any) -> None:
    """Take over the models of OTHER, another hub, with their sketches, in HUB.

    Both must have one format, seed and salt. A model whose name and version HUB has with something else is left, and said.
    """
    is_new = options["dry_run"] and not os.path.exists(hub)
    with connect(":memory:" if is_new else hub, read_only=options["dry_run"] and not is_new) as open_hub:
        found = open_hub.import_hub(other, **options)
        print_result(found, form, empty="the other hub has no models")
    print_sentence(found.summary, err=True)
