"""One module for each family of motifs; each motif is a function that fills a sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes.abstract import geometric, sunburst, waves
from troth.gateway.studio.scenes.botanical import botanical, flowers
from troth.gateway.studio.scenes.land import desert, forest, mountains
from troth.gateway.studio.scenes.patterns import pattern
from troth.gateway.studio.scenes.sea import sea
from troth.gateway.studio.scenes.sky import space
from troth.gateway.studio.scenes.still import cup
from troth.gateway.studio.scenes.swatches import swatches
from troth.gateway.studio.scenes.town import city

Draw = Callable[[Canvas, Brief], None]

SCENES: Final[Mapping[str, Draw]] = {
    "botanical": botanical,
    "city": city,
    "cup": cup,
    "desert": desert,
    "flowers": flowers,
    "forest": forest,
    "geometric": geometric,
    "mountains": mountains,
    "palette": swatches,
    "pattern": pattern,
    "sea": sea,
    "space": space,
    "sunburst": sunburst,
    "waves": waves,
}
