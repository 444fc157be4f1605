"""An SVG sheet in pixels: shapes go in, a document with nothing but paths and gradients comes out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple


class Point(NamedTuple):
    """A place in pixels, y downwards."""

    x: float
    y: float


class Plane(NamedTuple):
    """Shapes that move together: a document, how near they are (0 to 1), and how they move by themselves."""

    svg: str
    depth: float
    motion: str


class Canvas:
    """A sheet of `width` x `height` pixels. `unit` is a hundredth of the shorter side."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = float(width), float(height)
        self.unit = min(width, height) / 100
        self._defs: list[str] = []
        self._body: list[str] = []
        self._planes: list[tuple[int, float, str]] = [(0, 0.0, "")]

    def deeper(self, depth: float, motion: str = "") -> None:
        """What follows stands nearer (0 is the sky, 1 the foreground); a picture does not show it, a film does."""
        self._planes.append((len(self._body), depth, motion))

    def planes(self) -> list[Plane]:
        """The sheet plane by plane, of a scene that was drawn outside any group."""
        ends = [start for start, _, _ in self._planes[1:]] + [len(self._body)]
        return [
            Plane(self._document(self._body[start:end]), depth, motion)
            for (start, depth, motion), end in zip(self._planes, ends, strict=True)
            if end > start
        ]

    def svg(self) -> str:
        """The document."""
        return self._document(self._body)

    def _document(self, shapes: Sequence[str]) -> str:
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        body = "\n".join(shapes)
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<defs>{"".join(self._defs)}</defs>\n{body}\n</svg>\n'

    def linear(self, colours: Sequence[str], *, angle: str = "down") -> str:
        """A gradient over the shape's box, evenly spaced; a colour may carry an opacity: `#rrggbb@0.5`."""
        ends = {"down": 'x2="0" y2="1"', "right": 'x2="1" y2="0"', "across": 'x2="1" y2="1"'}[angle]
        return self._gradient("linearGradient", f'x1="0" y1="0" {ends}', colours)

    def radial(self, colours: Sequence[str], *, at: tuple[float, float] = (0.5, 0.5), radius: float = 0.5) -> str:
        """A round gradient over the shape's box, from its middle outwards."""
        place = f'cx="0.5" cy="0.5" fx="{at[0]:g}" fy="{at[1]:g}" r="{radius:g}"'
        return self._gradient("radialGradient", place, colours)

    def _gradient(self, kind: str, place: str, colours: Sequence[str]) -> str:
        name = f"g{len(self._defs)}"
        stops = []
        for index, colour in enumerate(colours):
            plain, _, opacity = colour.partition("@")
            fade = f' stop-opacity="{opacity}"' if opacity else ""
            stops.append(f'<stop offset="{index / max(1, len(colours) - 1):.3f}" stop-color="{plain}"{fade}/>')
        self._defs.append(f'<{kind} id="{name}" {place}>{"".join(stops)}</{kind}>')
        return f"url(#{name})"

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, round_: float = 0, fade: float = 1
    ) -> None:
        """A rectangle; `round_` is the corner's radius."""
        corner = f' rx="{round_:.1f}"' if round_ else ""
        box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{corner}'
        self._body.append(f'<rect {box} fill="{fill}"{_opacity(fade, "fill-")}/>')

    def circle(self, x: float, y: float, radius: float, fill: str, *, fade: float = 1) -> None:
        """A disc."""
        self._body.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}" fill="{fill}"{_opacity(fade, "fill-")}/>'
        )

    def ellipse(
        self, x: float, y: float, across: float, down: float, fill: str, *, turn: float = 0, fade: float = 1
    ) -> None:
        """An ellipse with two radii, turned by `turn` degrees."""
        rotate = f' transform="rotate({turn:.1f} {x:.1f} {y:.1f})"' if turn else ""
        shape = f'cx="{x:.1f}" cy="{y:.1f}" rx="{across:.1f}" ry="{down:.1f}"'
        self._body.append(f'<ellipse {shape} fill="{fill}"{rotate}{_opacity(fade, "fill-")}/>')

    def path(self, data: str, fill: str, *, fade: float = 1, transform: str = "") -> None:
        """A filled outline in SVG path syntax."""
        move = f' transform="{transform}"' if transform else ""
        self._body.append(f'<path d="{data}" fill="{fill}"{move}{_opacity(fade, "fill-")}/>')

    def line(self, data: str, colour: str, width: float, *, fade: float = 1) -> None:
        """A stroked path with round ends."""
        stroke = f'stroke="{colour}" stroke-width="{width:.2f}" stroke-linecap="round" stroke-linejoin="round"'
        self._body.append(f'<path d="{data}" fill="none" {stroke}{_opacity(fade, "stroke-")}/>')

    @contextmanager
    def clipped(self, shape: str) -> Iterator[None]:
        """Draws inside an SVG shape element only."""
        name = f"c{len(self._defs)}"
        self._defs.append(f'<clipPath id="{name}">{shape}</clipPath>')
        self._body.append(f'<g clip-path="url(#{name})">')
        yield
        self._body.append("</g>")

    @contextmanager
    def moved(self, transform: str, *, fade: float = 1) -> Iterator[None]:
        """Draws under an SVG transform."""
        self._body.append(f'<g transform="{transform}"{_opacity(fade)}>')
        yield
        self._body.append("</g>")


def _opacity(fade: float, paint: str = "") -> str:
    # The opacity of one paint costs nothing; that of an element makes the renderer open a layer of the whole sheet.
    return "" if fade >= 1 else f' {paint}opacity="{fade:.3f}"'


def polygon(points: Sequence[Point]) -> str:
    """A closed path with straight sides."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def flowing(points: Sequence[Point]) -> str:
    """An open path through all points without corners (Catmull-Rom as cubic Bezier curves)."""
    parts = [f"M{points[0].x:.1f} {points[0].y:.1f}"]
    last = len(points) - 1
    for index in range(last):
        before, start = points[max(0, index - 1)], points[index]
        end, after = points[index + 1], points[min(last, index + 2)]
        parts.append(
            f"C{start.x + (end.x - before.x) / 6:.1f} {start.y + (end.y - before.y) / 6:.1f} "
            f"{end.x - (after.x - start.x) / 6:.1f} {end.y - (after.y - start.y) / 6:.1f} {end.x:.1f} {end.y:.1f}"
        )
    return "".join(parts)


def ground(curve: str, width: float, bottom: float) -> str:
    """An open path from left to right, closed along the bottom."""
    return f"{curve}L{width:.1f} {bottom:.1f}L0 {bottom:.1f}Z"


def ridge(rng: random.Random, *, ends: tuple[float, float], height: float, width: float, steps: int = 7) -> list[Point]:
    """A mountain line by midpoint displacement: 2**steps + 1 points between heights `ends`, `height` pixels rough."""
    line = [ends[0], ends[1]]
    rough = height
    for _ in range(steps):
        finer = [line[0]]
        for left, right in pairwise(line):
            finer += [(left + right) / 2 + rng.uniform(-rough, rough), right]
        line, rough = finer, rough * 0.52
    return [Point(width * index / (len(line) - 1), y) for index, y in enumerate(line)]


def swell(rng: random.Random, *, middle: float, height: float, width: float, count: int = 6) -> list[Point]:
    """A soft hill line: `count` + 3 points around `middle`, up to `height` pixels off, beyond both sides."""
    step = width / count
    return [Point(step * (index - 1), middle + rng.uniform(-height, height)) for index in range(count + 3)]
