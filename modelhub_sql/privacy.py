"""What the holder of a hub can learn of the training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelhub_sql import logic

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub
    from modelhub_sql.result import Result

__all__ = ["disclosed"]


def disclosed(hub: Hub) -> Result:
    """What the hub gives away of single rows and words: a row for each dataset or feature and kind, from ``sql/privacy``."""
    queries = (f"SELECT * FROM (\n{relation.query}\n)" for relation in logic.relations("privacy").values())
    everything = " UNION ALL ".join(queries)
    return hub._result(
        logic.placed(f"FROM ({everything}) ORDER BY dataset_id ASC, feature ASC NULLS FIRST, what ASC", hub._place)
    )
