"""The arguments of a verb, described once: by the signature of its method and by the method's docstring."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from modelhub_sql.errors import OptionError

__all__ = ["Argument", "check_text", "described", "is_writable"]


class Argument(NamedTuple):
    """name: as everywhere. types: of its values. default: inspect.Parameter.empty where it must be given. help: what it is."""

    name: str
    types: tuple[Any, ...]
    default: Any
    help: str

    @property
    def choices(self) -> list[str]:
        """What it may be, where these are few."""
        if not all(get_origin(type_) is Literal for type_ in self.types):
            return []
        return [choice for type_ in self.types for choice in get_args(type_)]


@cache
def described(verb: Callable[..., Any]) -> dict[str, Argument]:
    """The arguments of a method by name, in order. A line ``name: what it is`` of the docstring describes one, or several."""
    lines = re.sub(r"\n {4,}", " ", inspect.getdoc(verb) or "")
    texts = {
        name: text.rstrip(".")
        for names, text in re.findall(r"^([a-z_]+(?:, [a-z_]+)*): (.*)$", lines, re.MULTILINE)
        for name in names.split(", ")
    }
    hints = get_type_hints(verb)
    return {
        name: Argument(name, _types(hints.get(name, Any)), parameter.default, texts.get(name, ""))
        for name, parameter in inspect.signature(verb).parameters.items()
        if name != "self"
    }


def is_writable(text: str) -> bool:
    """Whether a text can be stored; half a pair of surrogates, as Python has in file names that are no UTF-8, can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_text(name: str, value: Any) -> None:
    """Refuse what can't be stored as a text: None, texts, paths and numbers can. Raises OptionError."""
    if not isinstance(value, (str, os.PathLike, int, float, NoneType)):
        raise OptionError(f"{name} must be text, got {value!r:.200}")
    if isinstance(value, (str, os.PathLike)) and not is_writable(str(value)):
        raise OptionError(f"{name} has half a character (a surrogate) in it, which no UTF-8 has: {str(value)!r:.200}")


def _types(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, UnionType):
        return tuple(type_ for each in get_args(hint) for type_ in _types(each))
    return () if hint is NoneType else (hint,)
