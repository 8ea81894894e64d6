"""Text that others wrote, for a terminal: what would move its cursor or colour it is shown instead of done."""

from __future__ import annotations

import re

__all__ = ["visible"]

# Control characters of ASCII and Latin-1 (C0, C1, DEL) but tab and newline, and those that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with an escape, as Python writes it, for each control character."""
    return _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
