"""The workloads of section 4.1 and others, by name."""

from __future__ import annotations

from examples.evaluation.tasks import Workload
from examples.evaluation.workloads import activity, images, language, matching, packages, pools, tabular

__all__ = ["FAST", "GROUPS", "WORKLOADS"]

_MAIN: dict[str, Workload] = {
    "har54": activity.har54,
    "har54_all": activity.har54_all,
    "dsads81": activity.dsads81,
    "wisdm": activity.wisdm,
    "matching_words": matching.matching_words,
    "matching_columns": matching.matching_columns,
    "mnist_skewed": images.mnist_skewed,
    "cifar_skewed": images.cifar_skewed,
    "office": images.office,
    "equivalence": language.equivalence,
    "inference": language.inference,
    "reviews": language.reviews,
    "adult_country": tabular.adult_country,
    "adult_work": tabular.adult_work,
    "loans": tabular.loans,
}

_FRESH: dict[str, Workload] = {
    "diamonds_colour": packages.diamonds_colour,
    "cps_group": packages.cps_group,
    "stops_neighbourhood": packages.stops_neighbourhood,
    "ames_neighbourhood": packages.ames_neighbourhood,
    "chem_authority": packages.chem_authority,
    "diamonds_window": packages.diamonds_window,
    "digits_mix": packages.digits_mix,
}

_POOLS = {f"pool_{name}": pools.pool(name, columns=False) for name in pools.BASES}
_COLUMNS = {f"pool_{name}_columns": pools.pool(name, columns=True) for name in pools.BASES}

WORKLOADS: dict[str, Workload] = {**_MAIN, **_FRESH, **_POOLS, **_COLUMNS}

#: Workloads whose means are told together.
GROUPS = {"15": list(_MAIN), "fresh": list(_FRESH), "pools": list(_POOLS), "other columns": list(_COLUMNS)}

#: One of each kind.
FAST = (
    "har54", "wisdm", "matching_words", "mnist_skewed", "office", "equivalence", "reviews", "adult_country", "loans",
    "pool_adult_country", "pool_adult_country_columns",
)  # fmt: skip
