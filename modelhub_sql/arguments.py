"""The arguments of a verb, described once: by the signature of its method and by the method's docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Argument", "described"]


class Argument(NamedTuple):
    """name: as everywhere. type: as annotated. default: inspect.Parameter.empty where it must be given. help: of the docstring."""

    name: str
    type: str
    default: Any
    help: str

    @property
    def choices(self) -> list[str]:
        """What it may be, where these are few."""
        return re.findall(r"['\"](\w+)['\"]", self.type) if "Literal" in self.type else []


@cache
def described(verb: Callable[..., Any]) -> dict[str, Argument]:
    """The arguments of a method by name, in order. A line ``name: what it is`` of the docstring describes one."""
    lines = re.sub(r"\n {12,}", " ", inspect.getdoc(verb) or "")
    lines = re.sub(r"\n    +", " ", lines)
    texts = dict(re.findall(r"^(\w+): (.*)$", lines, re.MULTILINE))
    return {
        name: Argument(name, str(parameter.annotation), parameter.default, texts.get(name, ""))
        for name, parameter in inspect.signature(verb).parameters.items()
        if name != "self"
    }
