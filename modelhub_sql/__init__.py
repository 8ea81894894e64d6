"""ModelHub: which of these models fits my data? One line of SQL answers.

>>> import modelhub_sql
>>> with modelhub_sql.connect("hub.duckdb") as hub:            # doctest: +SKIP
...     hub.register("beer", "beer.parquet", exclude=["label"])
...     hub.find_models("target.parquet").show()
"""

from __future__ import annotations

from modelhub_sql.errors import (
    DatasetError,
    HubAccessError,
    HubBusyError,
    HubError,
    HubFormatError,
    HubLockedError,
    HubNotFoundError,
    HubReadOnlyError,
    ModelExistsError,
    ModelNotFoundError,
    OptionError,
    OutOfMemoryError,
    SettingsError,
)
from modelhub_sql.hub import Hub, connect
from modelhub_sql.opening import load
from modelhub_sql.settings import Settings

__all__ = [
    "DatasetError",
    "Hub",
    "HubAccessError",
    "HubBusyError",
    "HubError",
    "HubFormatError",
    "HubLockedError",
    "HubNotFoundError",
    "HubReadOnlyError",
    "ModelExistsError",
    "ModelNotFoundError",
    "OptionError",
    "OutOfMemoryError",
    "Settings",
    "SettingsError",
    "connect",
    "load",
]

__version__ = "0.1.0"
