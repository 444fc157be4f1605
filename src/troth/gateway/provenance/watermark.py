"""The imperceptible mark: a word of 32 bits of this deployment, spread over the whole picture.

The residual is drawn on a grid of 208 x 208 and scaled up to the picture, so that it survives another size. The word
says only "made here": no tenant, no person, no picture. Figures: bench/results/watermark.md.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageEnhance, ImageStat

from troth.gateway.provenance import networks
from troth.gateway.provenance.chance import chance
from troth.kernel.errors import Unavailable, UnsupportedMedia

if TYPE_CHECKING:
    from troth.gateway.provenance.networks import Grid

GRID: Final = 208  # pixels; at 256 a mark costs half as much again and lasts no longer, at 176 flat graphics lose it
SMALLEST_SIDE: Final = 192
"""Pixels; a smaller picture has too little room for a mark that lasts."""

FALSE_ALARMS: Final = 1e-5
"""At most this share of pictures without our mark is taken for ours."""

EVERY: Final = 4
"""Of so many frames of a film one has a mark of its own."""

_STRENGTHS: Final = (1.0, 1.5, 2.0)  # 42.6, 39 and 36.6 dB of PSNR
_COMFORT: Final = 1e-6  # a fresh mark should read this well after hard use
_LEAST: Final = 1e-6  # and at its strongest must read this well after JPEG 70, whole and with its rim cut off
_FILM: Final = 1.5  # strength in films, which lose more when they are packed again
_BRIGHT: Final = 110  # mean of 0 to 255
_USUAL: Final = "11111101111111111111111111111011"
"""What most pictures without a mark tend to read as: the majority of each bit over 292 of them."""

_ALIKE: Final = 18  # bits in common with it at most, of a word; 81 % of all words are so
_LEFT: Final = 0.81
_VIEWS: Final[tuple[tuple[float, bool], ...]] = ((1.0, False), (0.8, False), (1.0, True))
"""How a picture is looked at: at which share of the grid (a crop of 20 % has shrunk the picture so), and mirrored."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was read.

    Attributes: `bits_right` of `of`, `chance` (probability that a picture without our mark reads at least as well in
    one of the views; exact over words), `sure` (`chance` is at most `FALSE_ALARMS`).
    """

    bits_right: int
    of: int
    chance: float

    @property
    def sure(self) -> bool:
        """Whether it counts as our mark."""
        return self.chance <= FALSE_ALARMS


class Watermark:
    """Marks pictures of one deployment and finds its marks. `secret`: 32 bytes that give the word."""

    def __init__(self, secret: bytes) -> None:
        self._word = _word(secret)

    def mark(self, image: Image.Image) -> Image.Image:
        """The same picture (RGB, or RGBA when it has transparency) with the mark in it, checked by reading it back.

        Raises `UnsupportedMedia` (`watermark-too-small`: a side under 192 pixels; `watermark-no-hold`: the picture has
        too little in it, or too much transparency, to carry a mark), `Unavailable` (`extra-missing`), `IntegrityError`.
        """
        _require_room(image)
        plain = _plain(image)
        residual = networks.drawn(_grid(_flat(plain), GRID), self._word)
        for strength in _STRENGTHS:
            marked = _added(plain, residual, strength)
            if self._look(_worn(marked), 1.0).chance <= _COMFORT:
                return marked
        if all(self._look(_packed(one, "JPEG", 70), 1.0).chance <= _LEAST for one in (_cut(marked), marked)):
            return marked  # strong shapes of flat graphics: it lasts, but not through everything
        raise UnsupportedMedia("This picture cannot carry a watermark that lasts.", code="watermark-no-hold")

    def find(self, image: Image.Image) -> Found:
        """How well the picture reads as ours: the best of several views. Raises `Unavailable`, `IntegrityError`."""
        flat = _flat(_plain(image))
        best: Found | None = None
        for share, mirrored in _VIEWS:
            view = flat.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else flat
            seen = self._look(view, share)
            seen = Found(seen.bits_right, seen.of, min(1.0, seen.chance * len(_VIEWS)))
            if best is None or seen.chance < best.chance:
                best = seen
            if best.sure:
                break
        assert best is not None
        return best

    def find_among(self, frames: Iterable[Image.Image]) -> Found:
        """The best of the frames of one film (at least `EVERY` in a row) and of all of them added up.

        Raises as `find`, and `ValueError` for no frames.
        """
        reads = [_reads(_flat(_plain(frame)), 1.0) for frame in frames]
        if not reads:
            raise ValueError("no frames")
        voices = [*reads, [sum(of_bit) for of_bit in zip(*reads, strict=True)]]
        best = min((self._judged(voice) for voice in voices), key=lambda found: found.chance)
        return Found(best.bits_right, best.of, min(1.0, best.chance * len(voices)))

    def mark_frames(self, frames: Iterable[Image.Image], every: int = EVERY) -> Iterator[Image.Image]:
        """Frames of one film, each `every`-th with a mark of its own: on a moved scene an older one would cancel out.

        Raises as `mark`, but reads nothing back: `find_among` the finished film does.
        """
        for n, frame in enumerate(frames):
            plain = _plain(frame)
            if n % every == 0:
                _require_room(frame)
                plain = _added(plain, networks.drawn(_grid(_flat(plain), GRID), self._word), _FILM)
            yield plain

    def _look(self, flat: Image.Image, share: float) -> Found:
        return self._judged(_reads(flat, share))

    def _judged(self, reads: Sequence[float]) -> Found:
        right = sum((value > 0) == bool(bit) for value, bit in zip(reads, self._word, strict=True))
        return Found(right, networks.BITS, min(1.0, chance(reads, self._word) / _LEFT))


def _require_room(image: Image.Image) -> None:
    if min(image.size) < SMALLEST_SIDE:
        raise UnsupportedMedia(
            f"A picture needs {SMALLEST_SIDE} pixels a side to carry a watermark.", code="watermark-too-small"
        )


def _word(secret: bytes) -> list[int]:
    """The first of the words drawn from `secret` that pictures without a mark do not happen to read as."""
    for n in count():
        digest = hmac.new(secret, b"troth watermark word 1 %d" % n, hashlib.sha256).digest()
        word = [digest[bit // 8] >> (bit % 8) & 1 for bit in range(networks.BITS)]
        if sum(bit == int(usual) for bit, usual in zip(word, _USUAL, strict=True)) <= _ALIKE:
            return word
    raise AssertionError("count() has no end")


def _reads(flat: Image.Image, share: float) -> list[float]:
    """Small detail is doubled first: the mark lives there, and strong shapes of flat graphics drown it."""
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    grid = _grid(flat, round(GRID * share))
    base = _cv2().bilateralFilter(grid, 9, 30, 5)
    sharpened: Grid = np.clip(base + 2 * np.clip(grid - base, -12, 12), 0, 255)
    return networks.read(sharpened)


def _plain(image: Image.Image) -> Image.Image:
    transparent = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _flat(image: Image.Image) -> Image.Image:
    """Transparent parts as most readers show them: white."""
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _grid(flat: Image.Image, side: int) -> Grid:
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    return np.asarray(flat.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)


def _added(plain: Image.Image, residual: Grid, strength: float) -> Image.Image:
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    colour = np.asarray(plain, dtype=np.float32)
    way = _cv2().INTER_CUBIC if min(plain.size) >= GRID else _cv2().INTER_AREA  # a shrunk residual must not alias
    grown = _cv2().resize(residual * strength, plain.size, interpolation=way)
    pixels = np.clip(np.rint(colour[..., :3] + grown), 0, 255).astype(np.uint8)
    marked = Image.fromarray(pixels, "RGB")
    if plain.mode == "RGBA":
        marked.putalpha(plain.getchannel("A"))
    return marked


def _worn(marked: Image.Image) -> Image.Image:
    """As it looks after hard use: at half its size, packed as WebP 50, and changed where it has least to spare: bright
    pictures brighter, so that light parts run into white, and dark ones darker."""
    flat = _flat(marked)
    bright = ImageStat.Stat(flat.convert("L")).mean[0] > _BRIGHT
    flat = ImageEnhance.Brightness(flat).enhance(1.2 if bright else 0.8)
    if min(flat.size) >= 2 * SMALLEST_SIDE:
        flat = flat.resize((flat.width // 2, flat.height // 2), Image.Resampling.BICUBIC)
    return _packed(flat, "WEBP", 50)


def _cut(marked: Image.Image) -> Image.Image:
    """A tenth narrower and lower: what is left when somebody cuts the rim off."""
    wide, high = marked.width // 20, marked.height // 20
    return marked.crop((wide, high, marked.width - wide, marked.height - high))


def _packed(marked: Image.Image, kind: str, quality: int) -> Image.Image:
    kept = io.BytesIO()
    _flat(marked).save(kept, kind, quality=quality)
    kept.seek(0)
    with Image.open(kept) as opened:
        return opened.convert("RGB")


def _cv2() -> Any:
    try:
        import cv2  # noqa: PLC0415  a heavy library that only makers and readers of marks need
    except ImportError as error:
        raise Unavailable(
            "The watermark needs an extra: pip install 'troth[vision]', then start the server again.",
            code="extra-missing",
        ) from error
    return cv2
