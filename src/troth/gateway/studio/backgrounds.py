"""Which background a few words name: a colour, a gradient or a drawn scene."""

from __future__ import annotations

import re
from typing import Final

from troth.gateway.studio.colour import mix, polar
from troth.gateway.studio.cutout import Background
from troth.gateway.studio.palettes import PALETTES, hues, mood
from troth.gateway.studio.reading import motif_words

_FLAT: Final = {
    "white": "#ffffff", "black": "#111114", "grey": "#a9adb2", "gray": "#a9adb2", "cream": "#f6efe0",
    "beige": "#e8dcc6", "brown": "#6f4a33", "silver": "#c9ccd1", "charcoal": "#2c2f35", "ivory": "#faf6ea",
    "sand": "#e3cfa8", "sky": "#9cc9ee",
}  # fmt: skip
_HEX: Final = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b")
_WARM: Final = {"warm": "sunset", "cool": "ocean", "cold": "winter", "soft": "pastel", "dark": "night"}


def named_background(phrase: str) -> Background | None:
    """The background that the words name; None when they name none."""
    words = re.findall(r"[#\w]+", phrase.lower())
    colours = _colours(words)
    if "gradient" in words:
        return Background("gradient", _shaded(words, colours))
    if any(word in motif_words() for word in words) and not colours:
        return Background("scene", prompt=" ".join(words))
    if colours:
        return Background("colour", (_toned(colours[0], words),))
    named = mood(words) or next((_WARM[word] for word in words if word in _WARM), None)
    return Background("gradient", PALETTES[named].sky) if named else None


def _colours(words: list[str]) -> list[str]:
    """Named colours and codes, in their order."""
    found = []
    for word in words:
        if _HEX.fullmatch(word):
            found.append(word if len(word) == 7 else "#" + "".join(2 * sign for sign in word[1:]))
        elif word in _FLAT:
            found.append(_FLAT[word])
        elif word in hues():
            found.append(polar(0.68, 0.13, hues()[word]))
    return found


def _toned(colour: str, words: list[str]) -> str:
    if "dark" in words or "deep" in words:
        return mix(colour, "#000000", 0.45)
    return mix(colour, "#ffffff", 0.5) if not {"light", "pale", "soft", "pastel"}.isdisjoint(words) else colour


def _shaded(words: list[str], colours: list[str]) -> tuple[str, ...]:
    """The colours of a gradient from the top: those named, a single one in three shades, or those of a mood."""
    if len(colours) > 1:
        return tuple(colours)
    if colours:
        return mix(colours[0], "#ffffff", 0.45), colours[0], mix(colours[0], "#10102a", 0.35)
    named = next((_WARM[word] for word in words if word in _WARM), None) or mood(words) or "dawn"
    top, upper, lower, horizon = PALETTES[named].sky
    return top, upper, lower, horizon
