"""The workloads of section 4.1, by name."""

from __future__ import annotations

from examples.evaluation.tasks import Workload
from examples.evaluation.workloads import activity, images, language, matching, tabular

__all__ = ["FAST", "WORKLOADS"]

WORKLOADS: dict[str, Workload] = {
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

#: One of each kind.
FAST = ("har54", "wisdm", "matching_words", "mnist_skewed", "office", "equivalence", "reviews", "adult_country", "loans")
