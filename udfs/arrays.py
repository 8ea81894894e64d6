"""Arrow's arrays as numpy's, and back, without pandas.

Arrow's own ``to_numpy`` and ``array`` import pandas where there is one, which takes longer than a search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["as_arrow", "numbers"]


def numbers(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """The numbers of an array, not copied where nothing is missing; NULL is NaN."""
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks)
    dtype = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, dtype)
    validity, content = array.buffers()
    found = np.frombuffer(content, dtype, len(array), array.offset * dtype.itemsize)
    if not array.null_count:
        return found
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), count=array.offset + len(array), bitorder="little")
    return np.where(bits[array.offset :] == 1, found, np.nan)


def as_arrow(values: npt.ArrayLike, dtype: npt.DTypeLike | None = None, missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Numbers as an array of Arrow's; missing: where it has a NULL."""
    held = np.ascontiguousarray(values, dtype)
    validity = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(held.dtype), len(held), [validity, pa.py_buffer(held)])
