"""ModelHub: which of these models fits my data? One line of SQL answers.

>>> import modelhub_sql
>>> with modelhub_sql.connect("hub.duckdb") as hub:            # doctest: +SKIP
...     hub.register("beer", "beer.parquet", exclude=["label"])
...     hub.find_models("target.parquet").show()
"""

from __future__ import annotations

from modelhub_sql.errors import (
    DatasetError,
    DiskFullError,
    ExtraError,
    HubAccessError,
    HubBusyError,
    HubDamagedError,
    HubError,
    HubForkedError,
    HubFormatError,
    HubLockedError,
    HubLogError,
    HubNotFoundError,
    HubReadOnlyError,
    ModelExistsError,
    ModelNotFoundError,
    OptionError,
    OutOfMemoryError,
    SettingsError,
    TemporaryFilesError,
)
from modelhub_sql.fitted import keep_sketch, sketching
from modelhub_sql.hub import Hub, connect
from modelhub_sql.opening import load
from modelhub_sql.settings import Settings
from modelhub_sql.sharding import shards

__all__ = [
    "DatasetError",
    "DiskFullError",
    "ExtraError",
    "Hub",
    "HubAccessError",
    "HubBusyError",
    "HubDamagedError",
    "HubError",
    "HubForkedError",
    "HubFormatError",
    "HubLockedError",
    "HubLogError",
    "HubNotFoundError",
    "HubReadOnlyError",
    "ModelExistsError",
    "ModelNotFoundError",
    "OptionError",
    "OutOfMemoryError",
    "Settings",
    "SettingsError",
    "TemporaryFilesError",
    "connect",
    "keep_sketch",
    "load",
    "shards",
    "sketching",
]

__version__ = "0.1.0"
