"""What the three container filters share: the ledger of one cleaning, and the refusals."""

from __future__ import annotations

from dataclasses import dataclass, field

from troth.gateway.intake.admitted import Limits
from troth.kernel.errors import Invalid, TooLarge


@dataclass(slots=True)
class Cleaning:
    """One picture on its way through a filter: the bytes that stay, the names of what goes."""

    limits: Limits
    out: bytearray = field(default_factory=bytearray)
    removed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    width: int = 0
    height: int = 0
    orientation: int | None = None
    one_pass: bool = False  # its decoder never holds all of it, when it is read at an eighth

    def measure(self, width: int, height: int, frames: int = 1) -> None:
        """Notes the picture's size. Raises `Invalid` (no area), `TooLarge` (over the pixel budget), before decoding."""
        if width < 1 or height < 1 or frames < 1:
            raise broken()
        if width * height * frames > self.limits.max_pixels:
            megapixels = self.limits.max_pixels / 1_000_000
            raise TooLarge(
                f"The picture has more than {megapixels:g} million pixels (all frames together): scale it down first.",
                code="too-many-pixels",
            )
        self.width, self.height = width, height

    def keep(self, name: str) -> None:
        """Notes that something stayed on purpose."""
        self.kept.add(name)

    def drop(self, *names: str) -> None:
        """Notes what was taken out."""
        self.removed.update(names)


def broken() -> Invalid:
    """The refusal of a picture that cannot be read to its end."""
    return Invalid(
        "The picture is damaged or incomplete: open it in a picture program, save it again and upload that copy.",
        code="broken-image",
    )
