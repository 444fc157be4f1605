"""Pictures to be cleaned: people whose pictures are free, and pages of text about people who do not exist."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from troth.redact.picture_rules import PictureRules
from troth.redact.pictures.faces import faces
from troth.redact.pictures.libraries import opencv
from troth.redact.pictures.lines import lines as reader
from troth.redact.pictures.looking import Eye
from troth.redact.policy import vendor_policy
from troth.redact.tiers import detector

FACES = Path(__file__).parent / "pictures"
LETTER = ("Dear Ms Okonkwo,", "please write to zoe.okonkwo@example.org", "Card 4111 1111 1111 1111 is fine",
          "Total amount: 129.90 EUR")  # fmt: skip
MAIL = "zoe.okonkwo@example.org"


@lru_cache(maxsize=8)
def eye(faces: str = "blur", words: str = "fill") -> Eye:
    """One eye for each set of rules: the models are shared by the process."""
    rules = PictureRules.model_validate({"faces": faces, "words": words})
    return Eye(detector("rules"), vendor_policy(), rules)


def portrait(name: str = "astronaut", side: int = 320) -> np.ndarray[Any, Any]:
    """Somebody's portrait, RGB, of at most `side` pixels: at 160 a look takes a third of the time."""
    with Image.open(FACES / f"{name}.jpg") as opened:
        made = opened.convert("RGB")
        made.thumbnail((side, side))
        return np.asarray(made).copy()


def written(lines: Sequence[str] = LETTER, *, ink: int = 0, paper: int = 255, size: tuple[int, int] = (560, 240),
            letters: int = 24) -> np.ndarray[Any, Any]:  # fmt: skip
    """A page of text, RGB."""
    made = Image.new("RGB", size, (paper,) * 3)
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(letters)
    for number, line in enumerate(lines):
        draw.text((20, 16 + number * round(letters * 1.9)), line, fill=(ink,) * 3, font=font)
    return np.asarray(made).copy()


def with_code(content: str, *, size: int = 320) -> np.ndarray[Any, Any]:
    """A QR code on white, RGB."""
    code = Image.fromarray(opencv().QRCodeEncoder.create().encode(content)).convert("RGB")
    made = Image.new("RGB", (size, size), "white")
    made.paste(code.resize((size // 2, size // 2), Image.Resampling.NEAREST), (size // 4, size // 4))
    return np.asarray(made).copy()


def saved(pixels: np.ndarray[Any, Any], kind: str = "PNG", **options: Any) -> bytes:
    """Pixels as a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes, frame: int = 0) -> np.ndarray[Any, Any]:
    """The pixels of a file, RGB, as they are stored."""
    with Image.open(io.BytesIO(content)) as picture:
        picture.seek(frame)
        return np.asarray(picture.convert("RGB")).copy()


def read_in(content: bytes, frame: int = 0) -> str:
    """All text that can be read in a picture."""
    return "\n".join(line.text for line in reader().find(opened(content, frame)))


def faces_in(content: bytes, frame: int = 0) -> int:
    """How many faces are found, at the sizes of the first look."""
    return len(faces().find(opened(content, frame)))
