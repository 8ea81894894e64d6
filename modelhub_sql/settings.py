"""What a hub is made with: checked, turned into the row of the ``settings`` table."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from modelhub_sql import salts
from modelhub_sql.arguments import is_writable
from modelhub_sql.errors import SaltError, SettingsError
from modelhub_sql.tuning import tune_jslsh, tune_minhash

__all__ = ["FORMAT_VERSION", "RANK_METRICS", "Settings"]

#: Version of the sketch format and of the logic that a hub carries.
FORMAT_VERSION = 2

#: Jaccard similarity that MinHash bands must find: the least bar of features of other names (text).
LEAST_JACCARD = 0.3

#: What partition_histogram of sql/search allows for.
MOST_CANDIDATES = 10_000
#: Rows of a partition, and any other whole number, that the tables have room for.
MOST_ROWS, MOST = 2**32 - 1, 2**16 - 1

#: Hash functions of a signature.
MOST_FUNCTIONS = 4096

RANK_METRICS = ("distance", "adaptivity", "coverage", "js", "l2", "kl_target_source", "kl_source_target", "source_accuracy")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a new hub; every one is stored in it and described there (``FROM help``).

    partition_size: rows in a partition, m of Def. 2.
    max_partitions: partitions whose histograms are kept, a random sample where there are more; all rows count in the whole.
    partitioning: "random" (an affine permutation of the row numbers) or "sequential".
    most_bins: bins that a feature of numbers or times takes at the most: above, its resolution is halved.
    sample_rows: rows that the resolution is chosen from.
    text_bins: bins that tokens are hashed to.
    min_count: a bin that fewer values of a dataset are in is not kept: no value is there that few rows have.
    round_counts: counts are kept as the nearest multiple of it. Both hold for targets, too.
    replicas: a bin of frequency f is replicated round(replicas * sqrt(f)) times for MinHash.
    minhash_bands, minhash_rows: L and K of MinHash; by default tuned for ``min_jaccard``.
    jslsh_bands, jslsh_rows, jslsh_width: L, K, and r divided by the greatest distance of a
        match; by default tuned for ``recall``.
    recall: probability to find a match that lies exactly at the threshold, in (0, 1).
    seed: of the hash functions.
    salt: put before each token of text when it is hashed. It is not stored: who has the file without it can't test which words
        occur, nor search with texts.
    salt_fingerprint: what is stored of it; given instead, a hub can be made, filled with sketches and searched with them by who
        does not know the salt.
    features: "names" (features of one name are compared, others where they are alike) or "values" (Def. 3 to the letter).
    min_overlap, min_jaccard, max_js, min_adaptivity: default thresholds t1, t2 (Def. 3), t
        (Def. 2; None chooses it from the candidates) and t_adaptivity (Def. 4).
    auto_models: about how many models an automatic t lets match: t is the quantile
        auto_models / candidates, at most one quarter, of the divergences of their partitions.
    auto_quantile: that quantile, fixed.
    max_candidates: datasets, nearest first, that are candidates, and whose partitions are compared where details are asked for.
        In Python features of other names are compared of five times as many, those of an estimate, where there are more.
    sample_space: "aligned" or "flattened". rank_by: one of ``RANK_METRICS``.
    search: "exact", "lsh" or "auto".
    """

    partition_size: int = 500
    max_partitions: int = 1000
    partitioning: str = "random"
    most_bins: int = 256
    sample_rows: int = 2000
    text_bins: int = 1024
    min_count: int = 1
    round_counts: int = 1
    replicas: int = 16
    minhash_bands: int | None = None
    minhash_rows: int | None = None
    jslsh_bands: int | None = None
    jslsh_rows: int | None = None
    jslsh_width: float | None = None
    recall: float = 0.99
    seed: int = 1
    salt: str = ""
    salt_fingerprint: str | None = None
    features: str = "names"
    min_overlap: float | None = None
    min_jaccard: float | None = None
    max_js: float | None = None
    auto_models: float = 3.0
    auto_quantile: float | None = None
    min_adaptivity: float = 0.0
    max_candidates: int = 100
    sample_space: str = "aligned"
    rank_by: str = "distance"
    search: str = "auto"

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.default is not None and getattr(self, field.name) is None:
                raise SettingsError(f"{field.name} must be given or left out, got None")
        for name in (
            "partition_size", "max_partitions", "most_bins", "sample_rows", "text_bins", "min_count", "round_counts",
            "replicas", "max_candidates", "minhash_bands", "minhash_rows", "jslsh_bands", "jslsh_rows",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise SettingsError(f"{name} must be a whole number above 0, got {value!r}")
            most = MOST_ROWS if name == "partition_size" else MOST
            if value is not None and value > most:
                raise SettingsError(f"{name} must be at most {most}, got {value!r}")
        for name in ("min_overlap", "min_jaccard"):
            if getattr(self, name) is not None:
                self._check(name, lambda x: 0 <= x <= 1, "None or in [0, 1]")
        self._check("recall", lambda x: 0 < x < 1, "in (0, 1)")
        if self.auto_quantile is not None:
            self._check("auto_quantile", lambda x: 0 < x < 1, "None or in (0, 1)")
        self._check("auto_models", lambda x: 0 < x < math.inf, "above 0")
        self._check("min_adaptivity", lambda x: 0 <= x < math.inf, "0 or above")
        if self.max_js is not None:
            self._check("max_js", lambda x: 0 < x <= math.log(2), "None or in (0, ln 2 = 0.6931]")
        if self.jslsh_width is not None:
            self._check("jslsh_width", lambda x: 0 < x < math.inf, "above 0")
        for name, choices in (
            ("partitioning", ("random", "sequential")),
            ("features", ("names", "values")),
            ("sample_space", ("aligned", "flattened")),
            ("rank_by", RANK_METRICS),
            ("search", ("exact", "lsh", "auto")),
        ):
            if getattr(self, name) not in choices:
                raise SettingsError(f"{name} must be one of {', '.join(choices)}; got {getattr(self, name)!r}")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise SettingsError(f"seed must be a whole number in [0, 2**32), got {self.seed!r}")
        if not isinstance(self.salt, str) or "\0" in self.salt or not is_writable(self.salt):
            raise SettingsError("salt must be text of UTF-8 without NUL")
        known = self.salt_fingerprint
        if known is not None and (not isinstance(known, str) or not re.fullmatch("([0-9a-f]{64})?", known)):
            raise SettingsError(f"salt_fingerprint must be 64 hexadecimal digits, or empty text for no salt, got {known!r:.200}")
        if self.salt and known not in (None, salts.fingerprint(self.salt)):
            raise SaltError("the salt that is given is not the one of the salt_fingerprint that is given")
        if self.max_candidates > MOST_CANDIDATES:
            raise SettingsError(f"max_candidates must be at most {MOST_CANDIDATES}, got {self.max_candidates!r}")
        for name, bands, rows in (
            ("minhash", self.minhash_bands, self.minhash_rows), ("jslsh", self.jslsh_bands, self.jslsh_rows),
        ):  # fmt: skip
            if (bands or 1) * (rows or 1) > MOST_FUNCTIONS:
                raise SettingsError(f"{name}_bands x {name}_rows must be at most {MOST_FUNCTIONS}, got {bands} x {rows}")
        if self.text_bins > 60_000:
            raise SettingsError(f"text_bins must be at most 60000, got {self.text_bins}")

    def _check(self, name: str, holds: Any, bound: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not holds(value):
            raise SettingsError(f"{name} must be {bound}, got {value!r}")

    def row(self) -> dict[str, Any]:
        """The row of the ``settings`` table, with everything derived filled in."""
        values = {name: float(value) if isinstance(value, float) else value for name, value in asdict(self).items()}
        minhash = tune_minhash(LEAST_JACCARD, self.recall)
        jslsh = tune_jslsh(self.recall)
        if self.salt_fingerprint is None:
            values["salt_fingerprint"] = salts.fingerprint(self.salt)
        # It is told each time that the hub is opened.
        del values["salt"]
        return values | {
            "format_version": FORMAT_VERSION,
            "minhash_bands": self.minhash_bands or minhash.bands,
            "minhash_rows": self.minhash_rows or minhash.rows,
            "jslsh_bands": self.jslsh_bands or jslsh.bands,
            "jslsh_rows": self.jslsh_rows or jslsh.rows,
            "jslsh_width": self.jslsh_width or jslsh.width,
        }

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all settings."""
        return tuple(field.name for field in fields(cls))
