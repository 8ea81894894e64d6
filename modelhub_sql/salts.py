"""A hub's salt: where it is told, for it is not in the hub, and what the hub knows it by."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelhub_sql.errors import SaltError

__all__ = ["check", "fingerprint", "of_environment", "of_file", "told", "write_new"]

_FILE, _TEXT = "MODELHUB_SALT_FILE", "MODELHUB_SALT"


def fingerprint(salt: str) -> str:
    """What a hub has of a salt; ``_logic.salt`` of the hub's SQL computes the same. Empty text for none."""
    return hashlib.sha256(b"modelhub salt " + salt.encode()).hexdigest() if salt else ""


def of_file(path: str | os.PathLike[str]) -> str:
    """The salt that a file holds, without the end of its line. Raises SaltError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SaltError(f"the salt can't be read from {path}: {getattr(error, 'strerror', None) or error}") from error
    salt = text.rstrip("\r\n")
    if not salt or "\0" in salt:
        raise SaltError(f"{path} holds no salt: it must be text that is not empty, without NUL")
    return salt


def of_environment() -> str | None:
    """The salt that the environment tells: the file of MODELHUB_SALT_FILE, or MODELHUB_SALT itself. Raises SaltError."""
    if path := os.environ.get(_FILE):
        return of_file(path)
    return os.environ.get(_TEXT) or None


def told(given: Mapping[str, Any], salt_file: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Settings with the salt of a file among them. Raises SaltError."""
    if salt_file is None:
        return dict(given)
    if "salt" in given:
        raise SaltError("give salt or salt_file, not both")
    return {**given, "salt": of_file(salt_file)}


def check(path: str, salt: str, stored: str) -> None:
    """Refuse a salt that is not the one of the hub at a path; stored: its fingerprint there. Raises SaltError."""
    if fingerprint(salt) == stored:
        return
    if not stored:
        raise SaltError(f"{path} was made without a salt: leave the salt out, or make a new hub with it")
    if not salt:
        raise SaltError(f"{path} was made with a salt: give it (salt_file), or leave it out for a search without texts")
    raise SaltError(f"{path} was made with another salt than the one that is given")


def write_new(path: str) -> str:
    """Make a salt by chance, in a new file that only its owner may read. Raises SaltError."""
    salt = secrets.token_hex(32)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(salt + "\n")
    except FileExistsError as error:
        raise SaltError(f"there is a file at {path} already: --salt-file {path} takes the salt that it holds") from error
    except OSError as error:
        raise SaltError(f"the salt can't be written to {path}: {error.strerror}") from error
    return salt
