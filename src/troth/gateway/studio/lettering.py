"""Letters as outlines: a picture looks the same everywhere and needs no installed font."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

FaceName = Literal["sans", "serif", "text", "italic"]


@dataclass(frozen=True, slots=True)
class Face:
    """One typeface: glyph outlines on a 500-unit em, and kerning pairs."""

    em: int
    cap: int
    descent: int
    glyphs: dict[str, tuple[int, str]]
    kern: dict[str, int]

    def knows(self, text: str) -> bool:
        """Whether every character of `text` can be drawn."""
        return all(character in self.glyphs for character in text)

    def width(self, text: str, size: float, tracking: float = 0.0) -> float:
        """Pixels that `text` takes at `size` pixels per em; `tracking` is extra space per letter, in em."""
        return sum(step for step, _ in self._steps(text, tracking)) * size / self.em

    def outline(
        self, text: str, x: float, baseline: float, size: float, tracking: float = 0.0
    ) -> list[tuple[str, str]]:
        """Every letter as (SVG path data, SVG transform), starting at `x`; unknown characters are left out."""
        scale = size / self.em
        letters, position = [], x
        for step, path in self._steps(text, tracking):
            if path:
                letters.append((path, f"translate({position:.1f} {baseline:.1f}) scale({scale:.4f})"))
            position += step * scale
        return letters

    def _steps(self, text: str, tracking: float) -> list[tuple[float, str]]:
        steps = []
        for index, character in enumerate(text):
            advance, path = self.glyphs.get(character, (0, ""))
            following = text[index + 1 : index + 2]
            extra = tracking * self.em if following else 0
            steps.append((advance + self.kern.get(character + following, 0) + extra, path))
        return steps


@lru_cache(maxsize=4)
def face(name: FaceName) -> Face:
    """One of the typefaces that ship with Troth: two for titles, `text` and `italic` for what stands below them."""
    packed = (files("troth.gateway.studio") / "faces" / f"{name}.json.xz").read_bytes()
    data: dict[str, Any] = json.loads(lzma.decompress(packed))
    kern = {
        left + right: int(value)
        for left, groups in data["kern"].items()
        for value, rights in groups.items()
        for right in rights
    }
    glyphs = {character: (int(advance), str(path)) for character, (advance, path) in data["glyphs"].items()}
    return Face(data["em"], data["cap"], data["descent"], glyphs, kern)


def wrapped(text: str, letters: Face, limit: float, size: float, tracking: float = 0.0) -> list[str]:
    """`text` in lines of at most `limit` pixels, balanced; a word that is longer stands alone."""
    words = text.split()
    for count in range(1, len(words) + 1):
        lines = _balanced(words, letters, count)
        if all(letters.width(line, size, tracking) <= limit for line in lines):
            return lines
    return words


def _balanced(words: list[str], letters: Face, count: int) -> list[str]:
    """The words in `count` lines, as even as a greedy pass makes them."""
    target = letters.width(" ".join(words), 1) / count
    lines: list[list[str]] = [[]]
    for word in words:
        longer = letters.width(" ".join([*lines[-1], word]), 1)
        shorter = letters.width(" ".join(lines[-1]), 1)
        if lines[-1] and len(lines) < count and longer - target > target - shorter:
            lines.append([])
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def fitted(lines: list[str], letters: Face, limit: float, wish: float, tracking: float = 0.0) -> float:
    """The largest size up to `wish` at which every line is at most `limit` pixels wide."""
    widest = max((letters.width(line, 1, tracking) for line in lines), default=0)
    return min(wish, limit / widest) if widest else wish
