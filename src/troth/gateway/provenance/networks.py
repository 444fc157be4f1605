"""The two networks behind the watermark: one draws 32 bits into a picture, one reads them back.

Both are RivaGAN (arXiv:1909.01285), run on a small grid.
Pictures are float arrays of shape (height, width, 3), values 0 to 255.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from troth.kernel.errors import IntegrityError, Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grid = NDArray[np.float32]

BITS: Final = 32

_SHA256: Final = {
    "rivagan_encoder.onnx": "66bc7814fadac7d686105c8ab26c6cf2cc8e40deb83e67bb6ef5b9de9b8ece0d",
    "rivagan_decoder.onnx": "6b006690cf352fa50a91a0b6d6241dbcded0a9957969e2c0665cf9a7011b3880",
}


def drawn(picture: Grid, word: Sequence[int]) -> Grid:
    """What has to be added to `picture` so that it carries `word` (32 bits). Raises as `read`."""
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    frame = _frame(picture)
    data = np.array([word], dtype=np.float32)
    marked = _session("rivagan_encoder.onnx").run(None, {"frame": frame, "data": data})[0]
    residual: Grid = (np.clip(marked, -1, 1) - frame)[0, :, 0].transpose(1, 2, 0) * np.float32(127.5)
    return residual


def read(picture: Grid) -> list[float]:
    """32 numbers: positive for a bit that reads 1, the farther from 0 the surer.

    Raises `Unavailable` (`extra-missing`), `IntegrityError` (`watermark-weights`: a file is not the one we ship).
    """
    return [float(value) for value in _session("rivagan_decoder.onnx").run(None, {"frame": _frame(picture)})[0][0]]


def _frame(picture: Grid) -> Grid:
    """The shape the networks want: batch, channel, time, height, width; -1 to 1."""
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    scaled: Grid = (picture / np.float32(127.5) - np.float32(1)).astype(np.float32).transpose(2, 0, 1)[None, :, None]
    return scaled


@cache
def _session(name: str) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  a heavy library that only makers and readers of marks need
    except ImportError as error:
        raise Unavailable(
            "The watermark needs an extra: pip install 'troth[vision]', then start the server again.",
            code="extra-missing",
        ) from error
    packed = resources.files("troth.gateway.provenance.weights").joinpath(f"{name}.xz").read_bytes()
    try:
        content = lzma.decompress(packed)
    except (EOFError, lzma.LZMAError) as error:
        raise _not_ours() from error
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise _not_ours()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several pictures at once, not several cores each
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _not_ours() -> IntegrityError:
    return IntegrityError(
        "The files of the watermark are not the ones we ship: install the package again.", code="watermark-weights"
    )
