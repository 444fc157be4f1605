"""The libraries of the extra `vision`, imported when a picture comes and not before, each kept to one thread."""

from __future__ import annotations

import hashlib
import lzma
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import Any

from troth.kernel.errors import Unavailable


@lru_cache(maxsize=1)
def opencv() -> Any:
    """OpenCV. Raises Unavailable (`extra-missing`)."""
    try:
        import cv2  # noqa: PLC0415  an extra
    except ImportError as error:
        raise missing() from error
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # it warns about its own back ends on standard error
    return cv2


def session(content: bytes) -> Any:
    """An ONNX model, ready to run. Raises Unavailable (`extra-missing`, `model-weights`)."""
    try:
        import onnxruntime  # noqa: PLC0415  an extra
    except ImportError as error:
        raise missing() from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # pictures differ in size: the arena would keep the largest for good
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError) as error:
        raise damaged() from error


def installed(package: str, name: str, sha256: str) -> bytes:
    """The file `name` of an installed package, which is not imported: its models are used, and none of its code.

    Raises Unavailable: `extra-missing`, and `model-weights` when it is another file than the one that was tried here.
    """
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise missing()
    return checked(Path(spec.submodule_search_locations[0], name), sha256)


def checked(path: Path, sha256: str) -> bytes:
    """The content of a file of weights, unpacked where its name ends in `.xz`; `sha256` is that of the content.

    Raises Unavailable (`model-weights`).
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise damaged() from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged()
    return content


def missing() -> Unavailable:
    """The refusal without the extra."""
    return Unavailable("Reading pictures and video needs: pip install 'troth[vision]'.", code="extra-missing")


def damaged() -> Unavailable:
    """The refusal of weights that are not those that were tried."""
    return Unavailable("A model that reads pictures is not the one that was tried here; install the extra again.",
                       code="model-weights")  # fmt: skip
