"""A picture as shapes: vtracer's outlines of equal colours, as SVG with nothing but paths."""

from __future__ import annotations

import io
import re
from typing import Any, Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

from troth.kernel.errors import Invalid, Unavailable

MAX_BYTES: Final = 4 << 20
_SIDE, _BUSY_SIDE = 800, 480  # longest side that is traced, of calm and of busy pictures: noise takes 1.5 s of one core
_BUSY: Final = 3.5  # mean difference of a pixel from its neighbours, of 255, in one colour: grass has 6, a flower 1
_FINE: Final = {"filter_speckle": 4, "color_precision": 6, "layer_difference": 16}
_COARSE: Final = {"filter_speckle": 12, "color_precision": 5, "layer_difference": 32}
_PATH: Final = re.compile(
    r'<path d="([-0-9MLCZ., ]*)" fill="(#[0-9A-Fa-f]{6})" transform="translate\((-?[0-9.]+),(-?[0-9.]+)\)"/>'
)


def traced(image: Image.Image) -> str:
    """An SVG of the same size. Transparent parts stay open.

    Raises `Invalid` (`too-detailed`: over 4 MiB of shapes), `Unavailable` (`studio-missing`).
    """
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    plain = small.convert("RGB")  # by each colour: red and green of one brightness are two shapes as well
    if max(ImageStat.Stat(ImageChops.difference(plain, plain.filter(ImageFilter.BoxBlur(1)))).mean) > _BUSY:
        small.thumbnail((_BUSY_SIDE, _BUSY_SIDE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.save(content, "PNG")
    for settings in (_FINE, _COARSE):
        shapes = _PATH.findall(_tracer().convert_raw_image_to_svg(content.getvalue(), img_format="png", mode="spline",
                                                                  path_precision=1, **settings))  # fmt: skip
        body = "\n".join(
            f'<path d="{data}" fill="{fill}" transform="translate({x} {y})"/>' for data, fill, x, y in shapes
        )
        if len(body) <= MAX_BYTES:
            return _document(body, small.size, image.size)
    raise Invalid("The picture has too much detail for shapes; make it smaller or blur it first.", code="too-detailed",
                  field="image")  # fmt: skip


def _document(body: str, traced_at: tuple[int, int], size: tuple[int, int]) -> str:
    box = f'width="{size[0]}" height="{size[1]}" viewBox="0 0 {traced_at[0]} {traced_at[1]}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>\n<defs></defs>\n{body}\n</svg>\n'


def _tracer() -> Any:
    try:
        import vtracer  # noqa: PLC0415  native code that only a generating server needs
    except ImportError as error:
        raise Unavailable(
            "Tracing pictures needs an extra: pip install 'troth[studio]', then start the server again.",
            code="studio-missing",
        ) from error
    return vtracer
