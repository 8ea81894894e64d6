"""What the holder of a hub can learn of the training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelhub_sql import logic

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub
    from modelhub_sql.result import Result

__all__ = ["disclosed", "overview"]


def disclosed(hub: Hub) -> Result:
    """What the hub gives away of single rows and words: a row for each dataset or feature and kind, from ``sql/privacy``."""
    return _of(hub, "* FROM places ORDER BY dataset_id ASC, feature ASC NULLS FIRST, what ASC")


def overview(hub: Hub) -> Result:
    """The same, a row for each dataset and kind: of how many features, and of how many rows at most."""
    return _of(
        hub,
        "dataset, what, nullif(count(feature), 0) AS features, max(rows) AS rows FROM places "
        "GROUP BY dataset_id, dataset, what ORDER BY dataset_id ASC, dataset ASC, what ASC",
    )


def _of(hub: Hub, selected: str) -> Result:
    places = " UNION ALL ".join(f"SELECT * FROM (\n{relation.query}\n)" for relation in logic.relations("privacy").values())
    return hub._result(logic.placed(f"WITH places AS ({places}) SELECT {selected}", hub._place))
