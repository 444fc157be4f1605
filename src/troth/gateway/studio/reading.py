"""Reads a prompt as a brief: motif, extras, layout, words to set. A dictionary of words, not a model: it says so."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Final, Literal

from troth.gateway.studio.lettering import face
from troth.gateway.studio.palettes import Palette, choose

Layout = Literal["full", "framed", "arch", "round", "swiss", "stack", "block", "card", "split", "monogram", "page"]

_MOTIFS: Final = {
    "cup": "coffee cup mug espresso tea cafe café latte cappuccino barista breakfast",
    "space": "space planet planets galaxy cosmos universe rocket astronaut saturn orbit stars starry cosmic nebula",
    "city": "city skyline urban town skyscraper skyscrapers downtown metropolis building buildings street office "
    "berlin london paris tokyo vienna york",
    "mountains": "mountain mountains alps peak peaks hill hills summit valley hiking climb ski snow winter himalaya "
    "lake landscape nature",
    "forest": "winter snow snowy christmas forest wood woods tree trees pine pines camp camping deer fox woodland",
    "desert": "desert dune dunes sand cactus cacti sahara camel mesa canyon",
    "sea": "sea ocean beach coast sail sailing boat ship island lighthouse harbour harbor surf sunset sunrise "
    "horizon bay shore",
    "flowers": "flower flowers rose roses tulip tulips blossom bouquet daisy poppy poppies spring bloom floral garden",
    "botanical": "leaf leaves botanical plant plants fern herb herbs organic monstera palm green jungle olive",
    "sunburst": "sun sunburst rays retro seventies 70s rainbow jazz festival concert music summer",
    "waves": "wave waves abstract flow fluid gradient ribbon ribbons silk music sound liquid",
    "geometric": "geometric bauhaus geometry shapes tiles tile mosaic grid circles squares swiss "
    "modernist constructivist cubist",
    "pattern": "pattern patterns wallpaper textile fabric stripes striped dots dotted polka checks gingham plaid "
    "terrazzo chevron zigzag herringbone scallops seigaiha triangles",
    "palette": "palette palettes swatch swatches",
}
_EXTRAS: Final = frozenset(
    "boat sail sailing ship bird birds gull gulls balloon balloons sun stars snow snowy lake river lighthouse rocket "
    "cloud clouds reflection island".split()
)
_SINGULAR: Final = {
    "sailing": "boat",
    "sail": "boat",
    "ship": "boat",
    "gulls": "birds",
    "bird": "birds",
    "gull": "birds",
}
QUOTED: Final = re.compile(
    '["\u201c\u201d\u201e\u00ab\u00bb]([^"\u201c\u201d\u201e\u00ab\u00bb]{1,120})["\u201c\u201d\u201e\u00ab\u00bb]'
    "|(?<!\\w)[\u0027\u2018]([^\u0027\u2019]{2,120})[\u0027\u2019](?!\\w)"
)
_WORD: Final = re.compile(r"[\w<>-]+")
_WIDE: Final = 1.35
_BESIDE: Final = frozenset({"cup", "flowers", "botanical", "geometric", "sunburst", "pattern", "palette", "space"})
"""Motifs with something in their middle: on a banner the words stand beside them."""
_SHEETS: Final[dict[Layout, str]] = {
    "monogram": "logo icon badge emblem sticker monogram",
    "card": "invitation invite wedding card menu certificate elegant greeting thank anniversary novel",
    "page": "newsletter magazine layout report brochure",
    "stack": "bold loud typographic type lettering",
    "swiss": "swiss minimal minimalist exhibition international",
}
_SCENES: Final = ("sea", "mountains", "city", "forest", "desert", "space")


@dataclass(frozen=True, slots=True)
class Brief:
    """What to draw.

    Attributes: `motif`, `extras` (small things in the scene), `layout`, `texts` (lines to set, the first is the title),
    `palette`, `prompt`, `seed` (of every random choice that follows), `named` (whether the prompt named the motif),
    `unset` (whether quoted words were left out because the letters are missing), `bare` (no paper: what is not drawn
    stays transparent).
    """

    motif: str
    extras: frozenset[str]
    layout: Layout
    texts: tuple[str, ...]
    palette: Palette
    prompt: str
    seed: str
    named: bool
    unset: bool
    bare: bool = False

    def rng(self, part: str) -> random.Random:
        """A source of choices for one part of the picture: changing one part leaves the others as they were."""
        return random.Random(f"{self.seed}/{part}")  # noqa: S311  pictures, not keys

    def sentence(self) -> str:
        """What was understood, for the answer to the caller."""
        named = f" with the text “{self.texts[0]}”" if self.texts else ""
        missing = " Quoted words with letters that the studio does not have were left out." if self.unset else ""
        colours = "own colours" if self.palette.name == "custom" else f"{self.palette.name} colours"
        return f"Drawn by rules, not by a model: {self.motif}, {colours}, {self.layout} layout{named}.{missing}"


def read(prompt: str, width: int, height: int, seed: int) -> Brief:
    """The brief of a prompt. The same arguments give the same brief on every machine."""
    quoted = tuple(" ".join((double or single).split()) for double, single in QUOTED.findall(prompt))
    words = _WORD.findall(QUOTED.sub(" ", prompt).lower()) or _WORD.findall(prompt.lower())
    base = f"{seed}/{prompt}"
    rng = random.Random(f"{base}/brief")  # noqa: S311
    motif = _motif(words, rng)
    extras = frozenset(_SINGULAR.get(word, word) for word in words if word in _EXTRAS)
    wished = tuple(text for text in quoted[:3] if text)
    texts = tuple(text for text in wished if any(face(name).knows(text) for name in ("sans", "serif")))
    named = any(word in _MOTIFS[motif].split() for word in words)
    layout = _layout(words, motif, has_text=bool(texts), ratio=width / height)
    if texts and (not named or layout == "page"):
        layout = _typographic(words, texts, width / height, rng)
        motif = motif if named else rng.choice(("pattern", "pattern", "geometric"))
    elif texts and layout == "full" and motif in _BESIDE:
        layout = "split"
    return Brief(motif, extras, layout, texts, choose(words, motif, rng), prompt, base, named, texts != wished)


def motif_words() -> frozenset[str]:
    """Every word that names a motif."""
    return frozenset(word for listed in _MOTIFS.values() for word in listed.split())


def _motif(words: list[str], rng: random.Random) -> str:
    """The motif with the most words; the first named one wins a tie, chance when there is none."""
    patterned = [word for word in words if word in _MOTIFS["pattern"].split()]
    if patterned and not any(word in _MOTIFS["geometric"].split() for word in words):
        return "pattern"  # a botanical pattern is no picture of a plant
    if any(word in _MOTIFS["palette"].split() for word in words):
        return "palette"
    scores = {motif: sum(word in listed.split() for word in words) for motif, listed in _MOTIFS.items()}
    best = max(scores.values())
    if best == 0:
        return rng.choice((*_SCENES, "waves", "geometric", "botanical"))
    leaders = [motif for motif, score in scores.items() if score == best]
    return min(leaders, key=lambda motif: min(words.index(word) for word in _MOTIFS[motif].split() if word in words))


def _typographic(words: list[str], texts: tuple[str, ...], ratio: float, rng: random.Random) -> Layout:
    """A sheet that lives from its words, for a prompt that names no scene."""
    asked = set(words)
    for layout, listed in _SHEETS.items():
        if not asked.isdisjoint(listed.split()):
            return "split" if layout == "swiss" and ratio >= _WIDE else layout
    if ratio >= _WIDE:
        return "split"
    short = len(texts[0].split()) <= 5 and max(len(word) for word in texts[0].split()) <= 11
    suited: tuple[Layout, ...] = ("swiss", "block", "stack") if short else ("swiss", "block")
    return rng.choice(suited)


def _layout(words: list[str], motif: str, *, has_text: bool, ratio: float) -> Layout:
    if not {"logo", "icon", "badge", "emblem", "sticker"}.isdisjoint(words):
        return "round"
    if has_text and not {"newsletter", "magazine", "brochure"}.isdisjoint(words):
        return "page"
    if "arch" in words:
        return "arch"
    framed = not {"poster", "print", "card", "postcard", "cover", "flyer", "invitation"}.isdisjoint(words)
    if framed and ratio < _WIDE:
        return "arch" if motif in {"botanical", "flowers", "desert", "cup"} else "framed"
    return "framed" if has_text and ratio < _WIDE else "full"
