"""What a policy decides about pictures: faces, words and codes. Which words are personal, its other decisions say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Covering = Literal["blur", "fill", "remove"]
"""`blur`: a coarse grid of means, then blurred, from which no face comes back; `fill`: one colour; `remove`: painted
over with what is around it."""


class PictureRules(BaseModel):
    """`faces` holds everywhere; `faces_in_edits` where a vendor is asked to change a portrait, which needs the face.

    What is taken out of texts is taken out of pictures of texts too: `words` and `codes` say how, not whether.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    faces: Covering | Literal["keep"] = "blur"
    faces_in_edits: Covering | Literal["keep"] = "keep"
    words: Covering = "fill"
    codes: Covering = "fill"

    def for_edits(self) -> PictureRules:
        """The rules for a picture that a vendor is to change."""
        return self.model_copy(update={"faces": self.faces_in_edits})

    def over(self, floor: PictureRules) -> PictureRules:
        """These, but what `floor` does not keep is not kept."""
        kept = {
            name: getattr(floor, name)
            for name in ("faces", "faces_in_edits")
            if getattr(self, name) == "keep" != getattr(floor, name)
        }
        return self.model_copy(update=kept)
