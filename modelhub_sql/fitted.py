"""The sketch of what a model was fitted on, in the model: in its pickle, skops or ONNX file, which is registered without data.

A sketch is read out of a file as bytes. Nothing of a file is loaded, unpickled or run.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import hashlib
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelhub_sql.datasets import SKETCH_FILE
from modelhub_sql.errors import DatasetError, OptionError
from modelhub_sql.extras import extra

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["ATTRIBUTE", "ENDINGS", "keep_sketch", "sketch_in", "sketched", "sketching"]

#: What the sketch is called: attribute of an estimator, key of an ONNX model's metadata.
ATTRIBUTE = "modelhub_sketch_"
#: Files of models that may hold one.
ENDINGS = (".onnx", ".skops", ".joblib", ".pkl", ".pickle")
#: What stands before a sketch file's bytes, then their number (8 bytes, big-endian) and SHA-256.
_MARK = b"\x93modelhub.sketch\x01"
_HEAD = len(_MARK) + 8 + 32
#: More bytes no sketch has, and so many more are looked at than a compressed file has.
_MOST, _EXPANDED = 1 << 30, 1 << 32
_PART = 1 << 22


def sketching(
    estimator: Any, *, exclude: Sequence[str] = (), hide_excluded: bool = False, hub: str | os.PathLike[str] | None = None
) -> Any:  # a class of scikit-learn's
    """A scikit-learn estimator that is fitted as ``estimator`` is, and keeps the sketch of what it was fitted on.

    estimator: any with ``fit``: a classifier, a pipeline, a search.
    exclude, hide_excluded: columns to leave out, and whether their names are not kept, as of ``Hub.register``.
    hub: the file of a hub, whose format and salt the sketch is to have; by default those of a hub with default settings.

    The sketch is in its file, however it is saved (pickle, joblib, skops): ``hub.register(name, file)`` needs no data. What
    was fitted is ``estimator_``, which has the sketch, too, and needs this package no more. Raises ExtraError.
    """
    extra("sklearn", "try")
    from modelhub_sql.estimator import Sketching

    return Sketching(estimator, exclude=exclude, hide_excluded=hide_excluded, hub=hub)


def keep_sketch(
    model: Any,
    data: Any,
    *,
    exclude: Sequence[str] = (),
    hide_excluded: bool = False,
    hub: str | os.PathLike[str] | None = None,
) -> Any:
    """Leave the sketch of its training data in a model that is fitted already; returns the model.

    model: an object that is pickled, or an ONNX model (``onnx.ModelProto``), which has it in its ``metadata_props``.
    data: what it was trained on, as of ``Hub.register``; or a model that keeps a sketch.
    exclude, hide_excluded, hub: as of ``sketching``.

    Raises DatasetError, and OptionError for a model that takes no attributes.
    """
    held = getattr(data, ATTRIBUTE, None)
    sketch = held if isinstance(held, bytes) else sketched(data, exclude, hide_excluded, hub)
    if hasattr(model, "metadata_props"):
        text = base64.b64encode(sketch).decode()
        for entry in model.metadata_props:
            if entry.key == ATTRIBUTE:
                entry.value = text
                return model
        model.metadata_props.add(key=ATTRIBUTE, value=text)
        return model
    try:
        setattr(model, ATTRIBUTE, sketch)
    except (AttributeError, TypeError) as error:
        raise OptionError(f"a {type(model).__name__} takes no attributes, so the sketch can't be kept in it") from error
    return model


def sketched(data: Any, exclude: Sequence[str], hide_excluded: bool, hub: str | os.PathLike[str] | Hub | None) -> bytes:
    """The sketch of data, as it is kept in models. Raises DatasetError."""
    from modelhub_sql.hub import connect

    with tempfile.TemporaryDirectory() as folder, connect() if hub is None else connect(hub, read_only=True) as opened:  # type: ignore[arg-type]
        made = opened.sketch(data, exclude=exclude, hide_excluded=hide_excluded)
        content = Path(made.save(Path(folder) / f"fitted{SKETCH_FILE}")).read_bytes()
    return _MARK + len(content).to_bytes(8, "big") + hashlib.sha256(content).digest() + content


def sketch_in(path: str, folder: str) -> str | None:
    """A sketch file, in that folder, of what a model's file holds; None where it holds none.

    Raises DatasetError where the file can't be read.
    """
    try:
        content = next((found for part in _parts(path) if (found := _found(part)) is not None), None)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise DatasetError(f"{path} can't be read as the file of a model: {error}") from error
    if content is None:
        return None
    written = os.path.join(folder, Path(path).stem + SKETCH_FILE)
    Path(written).write_bytes(content)
    return written


def _parts(path: str) -> Iterator[Iterator[bytes]]:
    """What a file holds, each as a stream of bytes: itself, what is compressed in it, the members of an archive."""
    if path.lower().endswith(".onnx"):
        yield iter(_of_onnx(path))
        return
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    yield _read(stream.read)
        return
    with open(path, "rb") as file:
        start = file.read(6)
        file.seek(0)
        yield _read(_expanded(start, file) or file.read)


def _of_onnx(path: str) -> list[bytes]:
    onnx = extra("onnx", "try")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # of protobuf, whichever there is
        raise DatasetError(f"{path} can't be read as an ONNX model: {' '.join(str(error).split())[:300]}") from error
    try:
        return [base64.b64decode(entry.value) for entry in model.metadata_props if entry.key == ATTRIBUTE]
    except binascii.Error as error:
        raise DatasetError(f"{path} holds a sketch that is damaged: {error}") from error


def _expanded(start: bytes, file: Any) -> Callable[[int], bytes] | None:
    """What reads a compressed file, as joblib writes them; None where it is not."""
    if start.startswith((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")):
        inflate = zlib.decompressobj(wbits=47)

        def read(size: int) -> bytes:
            while not inflate.eof:
                # No more at once than is asked for, however far it expands.
                if given := inflate.unconsumed_tail or file.read(size):
                    if out := inflate.decompress(given, size):
                        return out
                else:
                    break
            return b""

        return read
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file).read
    return lzma.LZMAFile(file).read if start.startswith((b"\xfd7zXZ", b"\x5d\x00\x00")) else None


def _read(read: Callable[[int], bytes]) -> Iterator[bytes]:
    left = _EXPANDED
    while left > 0 and (part := read(_PART)):
        left -= len(part)
        yield part


def _found(parts: Iterator[bytes]) -> bytes | None:
    """The sketch in a stream of bytes, where a whole one is."""
    held = b""
    for part in parts:
        held += part
        while (at := held.find(_MARK)) >= 0:
            held = held[at:]
            while len(held) < _HEAD and (more := next(parts, b"")):
                held += more
            size = int.from_bytes(held[len(_MARK) : len(_MARK) + 8], "big")
            if len(held) >= _HEAD and size <= _MOST:
                pieces = [held]
                there = len(held)
                while there < _HEAD + size and (more := next(parts, b"")):
                    pieces.append(more)
                    there += len(more)
                held = b"".join(pieces)
                content = held[_HEAD : _HEAD + size]
                if hashlib.sha256(content).digest() == held[_HEAD - 32 : _HEAD]:
                    return content
            held = held[len(_MARK) :]
        held = held[-len(_MARK) :]
    return None
