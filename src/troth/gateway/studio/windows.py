"""A scene drawn for a part of the sheet."""

from __future__ import annotations

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes import SCENES
from troth.gateway.studio.scenes.sky import snowfall
from troth.gateway.studio.typesetting import Block


def scene(canvas: Canvas, brief: Brief) -> None:
    """The brief's motif over the whole canvas."""
    SCENES[brief.motif](canvas, brief)
    if not brief.extras.isdisjoint({"snow", "snowy"}):
        snowfall(canvas, brief.rng("snow"))


def window(canvas: Canvas, brief: Brief, box: Block, shape: str = "") -> None:
    """The scene drawn for a smaller sheet, shown through `shape` (an SVG element), or the whole box."""
    outer = canvas.width, canvas.height, canvas.unit
    seen = shape or f'<rect x="0" y="0" width="{box.width:.1f}" height="{box.height:.1f}"/>'
    with canvas.moved(f"translate({box.left:.1f} {box.top:.1f})"), canvas.clipped(seen):
        canvas.width, canvas.height, canvas.unit = box.width, box.height, min(box.width, box.height) / 100
        scene(canvas, brief)
    canvas.width, canvas.height, canvas.unit = outer
