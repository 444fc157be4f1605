"""Colours that go together: named palettes for moods, seasons and times of day, and palettes grown from named hues."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from troth.gateway.studio.colour import from_lab, mix, polar, to_lab


@dataclass(frozen=True, slots=True)
class Palette:
    """Roles, not a list: `sky` from the top to the horizon, `light` (sun, moon, windows), `near` (the darkest layer),
    `accent` (the one loud colour), `paper` (frames and light letters).
    """

    name: str
    sky: tuple[str, str, str, str]
    light: str
    near: str
    accent: str
    paper: str
    night: bool = False

    @property
    def haze(self) -> str:
        """What distance fades to: the sky at the horizon."""
        return self.sky[3]

    @property
    def swatches(self) -> tuple[str, str, str, str, str]:
        """Five flat colours for geometric work, dark to light."""
        if self.name == "bauhaus":
            return ("#1c1b1a", "#d8352a", "#1f4e8c", "#f0b323", "#f3ead7")
        return (self.near, self.accent, self.sky[0], self.sky[2], self.paper)


def toned(palette: Palette, strength: float) -> Palette:
    """The palette with its colours `strength` times as strong; lightness and hue stay."""

    def tone(colour: str) -> str:
        lab = to_lab(colour)
        return from_lab(lab._replace(green_red=lab.green_red * strength, blue_yellow=lab.blue_yellow * strength))

    top, upper, lower, horizon = (tone(colour) for colour in palette.sky)
    return replace(
        palette, sky=(top, upper, lower, horizon), light=tone(palette.light), near=tone(palette.near),
        accent=tone(palette.accent),
    )  # fmt: skip


def _palette(name: str, colours: str, *, night: bool = False) -> Palette:
    top, upper, lower, horizon, light, near, accent, paper = (f"#{code}" for code in colours.split())
    return Palette(name, (top, upper, lower, horizon), light, near, accent, paper, night)


PALETTES: Final = {
    palette.name: palette
    for palette in (
        _palette("sunset", "2b2350 7b3b74 e8685f ffc27a fff0c4 1c1433 ff8a5c fbf1e3"),
        _palette("dawn", "5b7fa6 a9b9cf f3cdbf ffe6c7 fff8e6 27364d e8846b fdf6ee"),
        _palette("day", "2f86c9 7cbce6 cfe8f2 f8f3df fffbe6 17405a f2a541 fbf8ef"),
        _palette("dusk", "1b2a4e 44517f a4708f f0a58f ffe3c2 131a33 f7b267 f8efe6"),
        _palette("night", "0a1130 131f4a 25376f 45619a f5f0dc 060a1c f4c95d f3efe4", night=True),
        _palette("aurora", "07142b 0d2b4b 14615f 4fb286 eafbe7 04121f 7ef0b2 eef6ee", night=True),
        _palette("autumn", "c98a5b e3b27a f4d6a0 fbecc8 fff4d6 43231b c4472b fbf3e2"),
        _palette("winter", "7fa3c0 b4cbdc dfe9ef f7f5f1 ffffff 2b4156 c8553d f8f8f6"),
        _palette("spring", "8cc7d9 c3e3df f4efd9 ffe3e0 fffdf0 2f5a4b ef7f93 fffaf2"),
        _palette("summer", "1d9ec4 63c6d6 c9ecdf fff3c9 fff6c2 0f4c5c ff6b4a fffaee"),
        _palette("forest", "9dbfae c6d8be e7ead0 f6f2dc fffbe8 11302a d98e3f f8f5e8"),
        _palette("desert", "e7a977 f3c796 fae0b5 fdf0d5 fff7e0 5c2a26 2f7f86 fcf4e6"),
        _palette("ocean", "124e78 2f83a6 8cc5c9 e4efdc fffbe8 0a2540 f26b4e f7f6ec"),
        _palette("mono", "5f6469 9ea3a6 d5d7d6 f2f1ee ffffff 17191b c0392b f7f6f3"),
        _palette("pastel", "b8c6ec d9cdef f7d9e3 fdeee0 fffaf0 5b5480 f08a9d fffaf5"),
        _palette("neon", "12062e 3b0f6f a3168f ff5f8f ffe66d 0a031c 22e3e6 fdf0ff", night=True),
        _palette("retro", "1f5b66 5ba199 f0d9a4 f6b65e f8e5b9 3a1f26 d9512c f6ead0"),
        _palette("earth", "b99b7c d8c3a5 ecdfca f7efe2 fffaf0 3b241b b5652b f9f2e7"),
        _palette("storm", "2e3d4c 566a7a 93a3a8 d5d3c4 f3efe0 151e28 e0a03b f2f0e9"),
        _palette("bauhaus", "1f4e8c 6f94ba e7d9b8 f3ead7 f0b323 1c1b1a d8352a f3ead7"),
    )
}

_MOODS: Final = {
    "sunset": "sunset sundown golden tropical warm romantic fire",
    "dawn": "dawn sunrise morning soft gentle hope calm quiet peaceful serene",
    "day": "day noon clear bright daylight blue",
    "dusk": "dusk twilight evening melancholy",
    "night": "night midnight moon moonlit moonlight stars starry dark space galaxy cosmos",
    "aurora": "aurora northern polar mystic mysterious magic magical",
    "autumn": "autumn fall harvest october november cosy cozy",
    "winter": "winter snow snowy ice icy cold frost december christmas",
    "spring": "spring blossom april may fresh easter",
    "summer": "summer holiday vacation beach july august sunny tropical",
    "forest": "forest woods green nature natural organic",
    "desert": "desert dune dunes sand arid sahara mesa",
    "ocean": "ocean sea nautical marine maritime lake river coast",
    "mono": "monochrome minimal minimalist grayscale greyscale black white grey gray nordic elegant",
    "pastel": "pastel pastels dreamy baby sweet candy delicate",
    "neon": "neon cyberpunk synthwave vaporwave electric futuristic cyber club party disco",
    "retro": "retro vintage seventies 70s sixties 60s midcentury nostalgic jazz",
    "earth": "coffee earth earthy brown wood rustic terracotta cafe café espresso bakery",
    "storm": "storm stormy rain rainy thunder fog foggy misty mist dramatic moody",
    "bauhaus": "bauhaus constructivist swiss primary modernist modernism",
}

_HUES: Final = {
    "red": 27, "crimson": 18, "scarlet": 30, "coral": 35, "orange": 55, "amber": 75, "gold": 85, "golden": 85,
    "yellow": 100, "lime": 125, "green": 148, "emerald": 160, "mint": 165, "teal": 190, "turquoise": 195, "cyan": 205,
    "azure": 240, "blue": 255, "navy": 262, "indigo": 280, "violet": 298, "purple": 308, "lavender": 300,
    "magenta": 335, "pink": 355, "rose": 5, "burgundy": 15,
}  # fmt: skip

_PLACES: Final = frozenset({"forest", "desert", "ocean", "earth"})
"""Palettes of a place; a mood, a season or a time of day says more."""

_SUITS: Final = {
    "sea": "sunset dawn day dusk ocean summer",
    "mountains": "sunset dawn dusk day aurora winter storm",
    "city": "dusk night sunset neon retro",
    "forest": "forest dawn autumn dusk aurora",
    "space": "night neon dusk aurora",
    "desert": "desert sunset dusk retro",
    "botanical": "forest spring earth retro pastel autumn",
    "flowers": "spring pastel retro earth summer",
    "geometric": "bauhaus retro ocean earth sunset",
    "waves": "ocean sunset neon pastel retro dusk",
    "cup": "earth retro autumn pastel",
    "sunburst": "retro sunset autumn earth",
    "pattern": "earth retro spring ocean pastel summer autumn bauhaus",
    "palette": "sunset ocean autumn spring retro earth",
}
"""Palettes that look right for a motif when the prompt does not say."""


def hues() -> dict[str, int]:
    """Names of hues and their angle in OKLCH, in degrees."""
    return _HUES


def mood(words: Collection[str]) -> str | None:
    """The palette that a mood, a season or a time of day among the words names."""
    return next((name for name, listed in _MOODS.items() if not set(listed.split()).isdisjoint(words)), None)


def choose(words: Collection[str], motif: str, rng: random.Random) -> Palette:
    """The palette that the prompt's words ask for: named hues first, then a mood, then what suits the motif."""
    hues = [_HUES[word] for word in words if word in _HUES]
    moods = [name for name, listed in _MOODS.items() if not set(listed.split()).isdisjoint(words)]
    if hues and not (len(hues) == 1 and moods):
        if motif == "flowers":  # a purple flower, not a purple meadow
            return replace(PALETTES["spring"], name="custom", accent=polar(0.63, 0.17, hues[0]))
        return _grown(hues, night=not {"night", "dark", "midnight"}.isdisjoint(words))
    if moods:
        told = [name for name in moods if name not in _PLACES] or moods  # a winter forest is wintry first
        told = [name for name in told if name in words] or told  # warm autumn is autumn
        suited = [name for name in told if name in _SUITS[motif].split()]
        return PALETTES[(suited or told)[0]]
    return PALETTES[rng.choice(_SUITS[motif].split())]


def _grown(hues: list[int], *, night: bool) -> Palette:
    """A palette from one or two hues; a single one gets its split complement as the accent."""
    base, other = hues[0], hues[1] if len(hues) > 1 else (hues[0] + 165) % 360
    lights = (0.2, 0.3, 0.42, 0.55) if night else (0.52, 0.68, 0.82, 0.93)
    chromas = (0.07, 0.09, 0.1, 0.1) if night else (0.13, 0.1, 0.065, 0.035)
    top, upper, lower, horizon = (
        polar(light, chroma, base + 8 * step) for step, (light, chroma) in enumerate(zip(lights, chromas, strict=True))
    )
    horizon = mix(horizon, polar(0.9, 0.07, other), 0.25)
    return Palette(
        "custom",
        (top, upper, lower, horizon),
        light=polar(0.96, 0.04, other),
        near=polar(0.17 if night else 0.27, 0.06, base),
        accent=polar(0.68, 0.16, other),
        paper=polar(0.965, 0.012, (base + other) / 2),
        night=night,
    )
