"""What commands take, declared once: the hub, the arguments of a verb as options, the form of the output."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click

from modelhub_sql import Hub, fetching
from modelhub_sql.arguments import Argument, described
from modelhub_sql.errors import HubReadOnlyError
from modelhub_sql.shared import must_be_a_file

__all__ = ["connect", "hub_argument", "option_of", "options_of", "output_options"]


def connect(hub: str, **given: Any) -> Hub:
    """The hub, when other processes let it; ``--wait`` says for how long to wait for them."""
    context = click.get_current_context(silent=True)
    told = context.find_root().params if context is not None else {}
    if "salt" not in given:
        given["salt_file"] = told.get("salt_file")
    if fetching.is_url(hub):
        if not given.get("read_only"):
            raise HubReadOnlyError(f"{fetching.shown(hub)} is at a web address: it can be searched, not changed")
        return Hub(hub, _progress=True, **given)
    if told.get("swap"):
        must_be_a_file(hub, "readers go on while it is changed anyway, so leave --swap out")
    if told.get("swap") and not given.get("read_only") and os.path.isfile(hub):
        from modelhub_sql.swapping import SwappedHub

        return SwappedHub(hub, wait=told.get("wait", 0), **given)
    return Hub(hub, wait=told.get("wait", 0), **given)


def hub_argument(command: Callable[..., None]) -> Callable[..., None]:
    """The argument HUB, a file, a web address of one, or a database."""

    def checked(_: click.Context, __: click.Parameter, path: str) -> str:
        if path in ("", ":memory:"):
            raise click.BadParameter(f"a hub is a file, got {path!r}")
        return path

    return click.argument("hub", type=click.Path(dir_okay=False), callback=checked)(command)


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """--json, --csv and --markdown, instead of a table; --wide and --columns say which columns (``rendering.print_result``)."""

    def kept(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        context.meta[f"modelhub.{parameter.name}"] = value

    def names(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
        kept(context, parameter, None if text is None else [name.strip() for name in text.split(",") if name.strip()])

    command = click.option(
        "--columns", metavar="NAMES", expose_value=False, callback=names, help="Print these columns (a,b,c), however wide."
    )(command)
    command = click.option(
        "--wide", is_flag=True, expose_value=False, callback=kept, help="Print all columns, however narrow the window is."
    )(command)
    command = click.option("--markdown", "form", flag_value="markdown", help="Print a table of Markdown.")(command)
    command = click.option("--csv", "form", flag_value="csv", help="Print CSV.")(command)
    return click.option("--json", "form", flag_value="json", help="Print a JSON array of objects.")(command)


def options_of(*verbs: Callable[..., Any], but: tuple[str, ...]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of a command: arguments of methods of a hub, without those that are positions of the command."""
    arguments: dict[str, Argument] = {}
    for verb in verbs:
        arguments = described(verb) | arguments

    def declared(command: Callable[..., None]) -> Callable[..., None]:
        for name, argument in reversed(arguments.items()):
            if name not in but:
                command = _option(argument)(command)
        return command

    return declared


def option_of(verb: Callable[..., Any], name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """One argument of a method of a hub as an option."""
    return _option(described(verb)[name])


def _option(argument: Argument) -> Callable[[Callable[..., None]], Callable[..., None]]:
    said = argument.help
    if not said or said.startswith("as of"):
        said = described(Hub.find_models)[argument.name].help
    said = said[:1].upper() + said[1:] + "."
    flag = f"--{argument.name.replace('_', '-')}"
    if argument.types == (bool,):
        return click.option(flag, is_flag=True, help=said)
    if argument.name == "exclude":
        return click.option(flag, metavar="COLUMN", multiple=True, help=f"{said[:-1]}; repeatable.")
    if argument.name == "read":
        said = "Option of DuckDB's reader of files (delim=';', encoding=latin-1)"
        return click.option(flag, metavar="NAME=VALUE", multiple=True, callback=_of_reader, help=f"{said}; repeatable.")
    if argument.name == "metadata":
        return click.option(flag, metavar="JSON", callback=_of_json, help=said)
    if argument.choices:
        return click.option(flag, type=click.Choice(argument.choices), help=said)
    if argument.types == (int,):
        return click.option(flag, type=int, help=said)
    if argument.types == (float,):
        return click.option(flag, type=float, help=said)
    return click.option(flag, metavar="T" if float in argument.types else "TEXT", help=said)


def _of_json(_: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"not JSON: {error}") from error


def _of_reader(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any] | None:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"takes NAME=VALUE, got {text}")
        is_quoted = len(value) > 2 and value[0] == value[-1] == "'"
        found[name] = {"true": True, "false": False}.get(value.lower(), value[1:-1] if is_quoted else value)
    return found or None
