"""Each setting tells what it is for, in the docstring under its field."""

from __future__ import annotations

from pydantic import BaseModel

from troth.settings.manual import manual, texts


class Before(BaseModel):
    """Not the text of a field."""

    said: int = 0
    """Told by the
    one before."""
    again: int = 0
    """Of before."""


class Behind(Before):
    again: int = 1
    """Of behind."""
    silent: int = 2
    loud: int = 3


def test_every_setting_has_a_manual() -> None:
    assert all(line.text for line in manual())


def test_a_field_has_the_text_under_it_and_that_of_the_newest_class() -> None:
    assert texts(Behind) == {"said": "Told by the\none before.", "again": "Of behind."}
