"""What the kernels share: Arrow's arrays as numpy's and back, without pandas; looking numbers up; threads.

Arrow's own ``to_numpy`` and ``array`` import pandas where there is one, which takes longer than a search.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["as_arrow", "for_each", "is_narrow", "lists", "nulls", "numbers", "numbers_or", "places", "steps"]

T = TypeVar("T")
R = TypeVar("R")

#: Largest table that is looked up in, in place of a search.
TABLE = 1 << 16


def numbers(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """The numbers of an array, not copied where nothing is missing; NULL is NaN."""
    if isinstance(array, pa.ChunkedArray):
        if array.num_chunks != 1:
            return np.concatenate([numbers(chunk) for chunk in array.chunks])
        array = array.chunk(0)
    dtype = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, dtype)
    content = array.buffers()[1]
    found = np.frombuffer(content, dtype, len(array), array.offset * dtype.itemsize)
    if not array.null_count:
        return found
    return np.where(nulls(array), np.nan, found)


def nulls(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where an array has NULL."""
    if isinstance(array, pa.ChunkedArray):
        return np.concatenate([np.empty(0, np.bool_), *map(nulls, array.chunks)])
    if not array.null_count:
        return np.zeros(len(array), np.bool_)
    validity = np.frombuffer(array.buffers()[0], np.uint8)
    bits = np.unpackbits(validity, count=array.offset + len(array), bitorder="little")
    return ~bits[array.offset :].astype(np.bool_)


def numbers_or(array: pa.Array | pa.ChunkedArray, missing: float) -> npt.NDArray[Any]:
    """The numbers of an array, NULL as another number."""
    found = numbers(array)
    return np.where(np.isnan(found), missing, found) if array.null_count else found


def lists(array: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Where each of n lists begins and the last ends among the numbers of all, (n + 1,), and these."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    lengths = [np.diff(numbers(chunk.offsets)) for chunk in chunks]
    values = [numbers(chunk.flatten()) for chunk in chunks]
    starts = np.concatenate([[0], *lengths]).astype(np.int64).cumsum()
    return starts, values[0] if len(values) == 1 else np.concatenate(values)


def as_arrow(values: npt.ArrayLike, dtype: npt.DTypeLike | None = None, missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Numbers as an array of Arrow's; missing: where it has a NULL."""
    held = np.ascontiguousarray(values, dtype)
    validity = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(held.dtype), len(held), [validity, pa.py_buffer(held)])


def places(
    known: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], step: float | None = None, *, within: bool = False
) -> npt.NDArray[np.intp]:
    """Where numbers are among the known ones (ascending), len(known) where they are not. Shape of wanted.

    step: of which all that are finite are whole multiples, a power of two. Where they lie close together a table tells, not a
    search. within: wanted are no multiples, but what is looked up is the greatest that is not above each.
    """
    unknown = len(known)
    if unknown and step is not None and is_narrow(known, step):
        low = known[0] / step - 1
        table = np.full(int(known[-1] / step - low) + 2, unknown, np.intp)
        table[(known / step - low).astype(np.intp)] = np.arange(unknown)
        place = steps(wanted, 1 / step) if within else wanted * (1 / step)
        place -= low
        # At either end is a place of none.
        np.fmin(np.fmax(place, 0, out=place), len(table) - 1, out=place)
        return np.asarray(table[place.astype(np.intp)])
    if within and step is not None:
        wanted = steps(wanted, 1 / step) * step
    found = np.searchsorted(known, wanted)
    if unknown:
        found[known[np.minimum(found, unknown - 1)] != wanted] = unknown
    return found


def steps(values: npt.NDArray[np.float64], scale: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Which multiple of 1 / scale, a power of two, is the greatest that is not above each value. scale: one, or one of each."""
    found = values * scale
    np.floor(found, out=found)
    if np.min(scale, initial=1) < 1:
        # The product of what is next to nothing is 0.
        none = np.flatnonzero(found == 0)
        found[none[values[none] < 0]] = -1
    return found


def is_narrow(known: npt.NDArray[np.float64], step: float, longest: int = TABLE) -> bool:
    """Whether multiples of a step (ascending) lie so close together that a table, not above the longest, tells where each is."""
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = known[0] / step, known[-1] / step
        # Whole numbers that a double counts exactly.
        return bool(high - low < longest and max(-low, high) < 2.0**52)


def for_each(function: Callable[[T], R], parts: Sequence[T], most: int = 4) -> list[R]:
    """What a function returns for each part, in their order: numpy computes several at a time, ``most`` at the most."""
    threads = min(most, os.cpu_count() or 1, len(parts))
    if threads < 2:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, parts))
