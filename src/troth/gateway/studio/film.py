"""Films as files: MP4 (H.264) and animated GIF."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

from PIL import Image

from troth.gateway.intake.admitted import MAX_PIXELS
from troth.gateway.studio.motion import Animation
from troth.kernel.errors import Invalid, Unavailable

FRAMES_A_SECOND: Final = 24
MAX_SECONDS: Final = 12
_QUALITY: Final = "21"  # x264's constant rate factor: no visible loss on flat colours
Progress = Callable[[int], None]


def film(
    prompt: str, size: tuple[int, int], seconds: int, *, seed: int, picture: bytes | None, told: Progress
) -> bytes:
    """An MP4 of `size` pixels (both even) and `seconds` (1 to 12). `told` hears the percent done and may raise.

    Raises `Invalid` (unsupported-size, unsupported-seconds), `Unavailable` (vision-missing, studio-missing).
    """
    if size[0] % 2 or size[1] % 2:
        raise Invalid("Videos have even sides; choose another size.", code="unsupported-size", field="size")
    if not 1 <= seconds <= MAX_SECONDS:
        raise Invalid(f"The studio makes films of 1 to {MAX_SECONDS} seconds.", code="unsupported-seconds",
                      field="seconds")  # fmt: skip
    av = _av()
    animation, count, out = Animation(prompt, *size, seed, picture), seconds * FRAMES_A_SECOND, io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_A_SECOND)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": _QUALITY, "preset": "veryfast", "threads": "1"}
        for number in range(count):
            told(100 * number // count)
            frame = av.VideoFrame.from_ndarray(animation.frame(number / (count - 1)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def animated(prompt: str, size: tuple[int, int], seed: int, *, frames: int, milliseconds: int) -> tuple[bytes, str]:
    """A GIF that loops, and one sentence that says how it was made.

    Raises `Invalid` (unsupported-size) for more pixels in all frames than a picture may have.
    """
    if size[0] * size[1] * frames > MAX_PIXELS:
        raise Invalid("So many frames of this size are too much for an animated picture; choose a smaller size.",
                      code="unsupported-size", field="size")  # fmt: skip
    animation = Animation(prompt, *size, seed)
    moving = (Image.fromarray(animation.frame(number / frames, loop=True)) for number in range(frames))
    first = next(moving)
    shared = first.quantize(256, dither=Image.Dither.NONE)  # one palette: colours do not flicker
    # One frame in full colour at a time.
    plain = [one.quantize(palette=shared, dither=Image.Dither.FLOYDSTEINBERG) for one in chain((first,), moving)]
    out = io.BytesIO()
    plain[0].save(out, "GIF", save_all=True, append_images=plain[1:], duration=milliseconds, loop=0)
    return out.getvalue(), animation.description


def _av() -> Any:
    try:
        import av  # noqa: PLC0415  heavy: only who makes films loads it
    except ImportError as error:
        raise Unavailable(
            "Films need an extra: pip install 'troth[vision]', then start the server again.", code="vision-missing"
        ) from error
    return av
