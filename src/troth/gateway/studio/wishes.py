"""Reads what an edit asks for: a grammar of words, not a model. What it does not understand, it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image, ImageOps

from troth.gateway.studio import adjust, grammar, regions
from troth.gateway.studio.backgrounds import named_background
from troth.gateway.studio.cutout import Background
from troth.gateway.studio.grammar import Reading, first
from troth.gateway.studio.palettes import Palette, hues
from troth.gateway.studio.placing import Place, Side
from troth.gateway.studio.reading import QUOTED, read
from troth.kernel.errors import Invalid

Tone = Callable[[Image.Image, Palette], Image.Image]

CAN: Final = (
    "remove or blur the background; replace the background with a colour, a gradient or a scene; crop (to 1:1, around "
    "the subject); remove what the mask covers; upscale 2x; vectorise; add text in quotes (at the top or bottom); "
    "mirror; rotate; brighter, darker, warmer, cooler, sharper, more contrast, more or less colour; tint; "
    "black and white; vintage; duotone; screen print; sketch; pixels; grain; vignette; border"
)
MAX_FACTOR: Final = 4


class Crop(NamedTuple):
    """`ratio`: width by height, None for the picture's own. `around`: as near to the subject as is good."""

    ratio: float | None
    around: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be done, part by part; what is not wished is None, empty or False.

    Attributes: `tones` (name and change), `background`, `crop`, `factor` (of enlarging), `vector`, `remove` (what the
    mask covers), `texts` and their `place` and `side`, `prompt` without its quotes, `rest` (a part was not understood).
    """

    prompt: str
    tones: tuple[tuple[str, Tone], ...]
    background: Background | None
    crop: Crop | None
    factor: int
    vector: bool
    remove: bool
    texts: tuple[str, ...]
    place: Place
    side: Side
    palette: Palette
    rest: bool


def _plain(change: adjust.Adjust) -> Tone:
    return lambda image, _: change(image)


_BY: Final = r"(?:rotate|turn)\w*(?: \w+){0,3}"
_TONES: Final[tuple[tuple[str, str, Tone], ...]] = (
    ("turned upside down", rf"upside down|{_BY} 180(?: degrees|°)?|flip\w* vertically", _plain(regions.over)),
    ("turned left", rf"{_BY} (?:left|counter.?clockwise|270(?: degrees|°)?)", _plain(regions.left)),
    ("turned right", rf"{_BY} (?:right|clockwise|90(?: degrees|°)?)|rotate", _plain(regions.right)),
    ("mirrored", r"mirror\w*|flip\w*(?: horizontally)?", _plain(ImageOps.mirror)),
    ("blurred", r"blur\w*|out of focus|soft focus", _plain(adjust.blurred)),
    ("warmer", r"warm\w*", _plain(adjust.warmer)),
    ("cooler", r"cool\w*|cold\w*", _plain(adjust.cooler)),
    ("brighter", r"bright\w*|lighten\w*|lighter", _plain(adjust.brighter)),
    ("darker", r"dark\w*", _plain(adjust.darker)),
    ("more contrast", r"contrast\w*|punch\w*|auto.?level\w*|enhance\w*|improve\w*", _plain(adjust.contrasty)),
    ("less colour", r"less colou?r\w*|muted|desaturat\w*|faded|pale", _plain(adjust.muted)),
    ("more colour", r"more colou?r\w*|vivid|vibran\w*|saturated?|colou?rful", _plain(adjust.vivid)),
    ("sharper", r"sharp\w*|crisp\w*", _plain(adjust.sharper)),
    ("black and white", r"black.?(?:and|&).?white|b&w|gr[ea]y.?scale|monochrom\w*", _plain(adjust.grey)),
    ("vintage print", r"vintage|retro|old photo\w*|sepia|nostalgi\w*|analog\w*", _plain(adjust.vintage)),
    ("duotone", r"duo.?tone|two colou?rs", adjust.duotone),
    ("screen print", r"poster\w*|screen.?print|pop.?art|risograph|stencil|illustration", adjust.poster),
    ("pencil sketch", r"sketch\w*|pencil|drawing", _plain(adjust.sketched)),
    ("large pixels", r"pixel\w*|mosaic|8.?bit", _plain(adjust.pixelated)),
    ("grain", r"grain\w*", _plain(adjust.grained)),
    ("vignette", r"vignett\w*", _plain(adjust.vignetted)),
    ("border", r"border|frame\w*|passe.?partout|margin", lambda image, palette: regions.bordered(image, palette.paper)),
)  # fmt: skip

_SHAPES: Final = {
    "square": 1.0,
    "landscape": 3 / 2,
    "widescreen": 16 / 9,
    "story": 9 / 16,
    "portrait": 4 / 5,
    "banner": 3.0,
}
_NUMBERS: Final = {"two": 2, "twice": 2, "double": 2, "three": 3, "four": 4}

_LONGEST = 2000  # characters outside quotes: reading costs the square of them


def wished(prompt: str) -> Wishes:
    """What the prompt asks for outside its quotes. Raises `Invalid` (`edit-not-understood`) where it names nothing."""
    brief = read(prompt, 1024, 1024, 0)
    plain = " ".join(QUOTED.sub(" ", prompt).lower().split())
    if len(plain) > _LONGEST:
        raise not_understood()
    reading = Reading(plain)
    place, side = _where(reading) if brief.texts else ("auto", "centre")
    background = _background(reading)
    crop, factor = _crop(reading), _factor(reading)
    vector = reading.takes(grammar.VECTOR)
    tones = _tones(reading)
    remove = reading.takes(grammar.REMOVE)
    known = bool(tones or background or crop or factor > 1 or vector or remove or brief.texts)
    if not (known or brief.named):
        raise not_understood()
    return Wishes(plain, tones, background, crop, factor, vector, remove, brief.texts, place, side, brief.palette,
                  known and reading.asks_more)  # fmt: skip


def not_understood() -> Invalid:
    """The refusal of a wish outside the grammar."""
    return Invalid(
        f"The studio does not understand this wish. It can: {CAN}.", code="edit-not-understood", field="prompt"
    )


def _where(reading: Reading) -> tuple[Place, Side]:
    reading.take(grammar.TEXT)
    side: Side = "left" if reading.takes(grammar.SIDES["left"]) else "centre"
    if side == "centre" and reading.takes(grammar.SIDES["right"]):
        side = "right"
    places: tuple[Place, ...] = ("top", "bottom", "middle")
    return next((place for place in places if reading.takes(grammar.WHERE[place])), "auto"), side


def _background(reading: Reading) -> Background | None:
    if reading.takes(grammar.BLUR):
        return Background("blurred")
    if reading.takes(grammar.CUT):
        return Background("transparent")
    found = reading.take(grammar.GROUND)
    if found is None:
        return None
    background = named_background(first(found, "what") or "")
    if background is None:
        raise not_understood()
    return background


def _crop(reading: Reading) -> Crop | None:
    found = reading.take(grammar.CROP)
    if found is None:
        return None
    around = reading.takes(grammar.AROUND)
    shape, across, down = (first(found, name) for name in ("shape", "across", "down"))
    if shape:
        return Crop(_SHAPES[shape], around)
    if not across or not down:
        return Crop(None, around)
    if not (float(down) and 0.2 <= float(across) / float(down) <= 5):
        raise Invalid("The studio crops to ratios from 1:5 to 5:1.", code="unsupported-size", field="prompt")
    return Crop(float(across) / float(down), around)


def _factor(reading: Reading) -> int:
    """How many times larger; 1 for as it is. Raises `Invalid` (`unsupported-size`)."""
    found = reading.take(grammar.UPSCALE)
    if found is None:
        return 1
    told = first(found, "times") or "2"
    factor = _NUMBERS.get(told) or int(told)
    if factor > MAX_FACTOR:
        raise Invalid(f"The studio enlarges at most {MAX_FACTOR} times.", code="unsupported-size", field="prompt")
    return factor


def _tones(reading: Reading) -> tuple[tuple[str, Tone], ...]:
    tint = reading.take(grammar.TINT)
    found = [(name, change) for name, pattern, change in _TONES if reading.takes(pattern)]
    if tint:
        name = tint["hue"] or ""
        found.append((f"tinted {name}", lambda image, _: adjust.tinted(image, hues()[name])))
    return tuple(found)
