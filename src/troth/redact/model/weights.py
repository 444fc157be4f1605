"""Files of weights: a header in JSON and arrays, nothing that runs. What is not exactly the shipped file is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from troth.kernel.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"TROTHW1\n"
_HEADER = 1 << 16  # bytes a header may have


def _refused() -> Unavailable:
    return Unavailable(
        "The weights of the model tier are not the ones that were shipped; install the package again.",
        code="model-weights",
    )


def write(path: Path, facts: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """One file: magic, length of the header (4 bytes, big-endian), header, arrays one after the other (C order).

    Of what is sorted the steps are written, the low bytes of all of them first: so it packs to five sixths.
    """
    entries: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        entries[name] = {"dtype": array.dtype.str, "shape": list(array.shape)} | (
            {"steps": True} if _sorted(array) else {}
        )
    header = json.dumps({"facts": facts, "arrays": entries}, sort_keys=True, separators=(",", ":")).encode()
    body = b"".join(
        _steps(arrays[name]) if "steps" in entries[name] else arrays[name].tobytes() for name in sorted(arrays)
    )
    path.write_bytes(_MAGIC + len(header).to_bytes(4, "big") + header + body)


def parse(content: bytes, digest: str) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """(facts, arrays) of a file whose SHA-256 (hex) is `digest`. The arrays cannot be written to.

    Raises Unavailable (`model-weights`) for any other content.
    """
    import numpy as np  # noqa: PLC0415  an extra; the core does without

    if hashlib.sha256(content).hexdigest() != digest or not content.startswith(_MAGIC):
        raise _refused()
    start = len(_MAGIC) + 4
    size = int.from_bytes(content[len(_MAGIC) : start], "big")
    if size > _HEADER:
        raise _refused()
    header, at = json.loads(content[start : start + size]), start + size
    arrays = {}
    for name, entry in sorted(header["arrays"].items()):
        dtype, count = np.dtype(entry["dtype"]), int(np.prod(entry["shape"], dtype=np.int64))
        if entry.get("steps"):
            planes = np.frombuffer(content, np.uint8, count * dtype.itemsize, at).reshape(dtype.itemsize, count)
            arrays[name] = np.ascontiguousarray(planes.T).view(dtype).ravel().cumsum(dtype=dtype)
            arrays[name].setflags(write=False)
        else:
            arrays[name] = np.frombuffer(content, dtype, count, at).reshape(entry["shape"])
        at += count * dtype.itemsize
    return header["facts"], arrays


def _sorted(array: np.ndarray[Any, Any]) -> bool:
    return array.ndim == 1 and array.dtype.str == "<u4" and bool((array[1:] >= array[:-1]).all())


def _steps(array: np.ndarray[Any, Any]) -> bytes:
    import numpy as np  # noqa: PLC0415  an extra; the core does without

    steps = np.diff(array, prepend=array.dtype.type(0))
    return steps.view(np.uint8).reshape(-1, array.dtype.itemsize).T.tobytes()
