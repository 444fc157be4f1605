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
    """One file: magic, length of the header (4 bytes, big-endian), header, arrays one after the other (C order)."""
    entries = {name: {"dtype": array.dtype.str, "shape": list(array.shape)} for name, array in arrays.items()}
    header = json.dumps({"facts": facts, "arrays": entries}, sort_keys=True, separators=(",", ":")).encode()
    body = b"".join(arrays[name].tobytes() for name in sorted(arrays))
    path.write_bytes(_MAGIC + len(header).to_bytes(4, "big") + header + body)


def parse(content: bytes, digest: str) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """(facts, arrays) of a file whose SHA-256 (hex) is `digest`. The arrays are views that cannot be written to.

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
        arrays[name] = np.frombuffer(content, dtype, count, at).reshape(entry["shape"])
        at += count * dtype.itemsize
    return header["facts"], arrays
