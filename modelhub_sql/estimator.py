"""The estimator of ``modelhub_sql.sketching``: of a module of its own, which needs scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

from modelhub_sql.fitted import ATTRIBUTE, sketched

__all__ = ["Sketching"]


class Sketching(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """As the estimator in it in all but ``fit``, which keeps the sketch of its rows, too."""

    def __init__(
        self,
        estimator: Any,
        *,
        exclude: Sequence[str] = (),
        hide_excluded: bool = False,
        hub: str | os.PathLike[str] | None = None,
    ) -> None:
        self.estimator = estimator
        self.exclude = exclude
        self.hide_excluded = hide_excluded
        self.hub = hub

    def fit(self, X: Any, y: Any = None, **told: Any) -> Sketching:
        """Fit a clone of the estimator, as it is fitted. Raises DatasetError where X can't be sketched."""
        sketch = sketched(X, self.exclude, self.hide_excluded, self.hub)
        fitted = clone(self.estimator)
        fitted.fit(X, y, **told)
        setattr(fitted, ATTRIBUTE, sketch)
        self.estimator_ = fitted
        return self

    def __getattr__(self, name: str) -> Any:
        # What every object has is looked for while it is being copied or loaded, too.
        inner = self.__dict__.get("estimator_", self.__dict__.get("estimator"))
        if name.startswith("__") or inner is None:
            raise AttributeError(name)
        return getattr(inner, name)

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return "estimator_" in self.__dict__
