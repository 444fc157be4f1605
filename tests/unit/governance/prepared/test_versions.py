"""Versions sort as packaging sorts them (PEP 440), which is what advisories mean."""

from __future__ import annotations

import random

import pytest
from packaging.version import Version

from troth.governance.prepared.versions import key, normal
from troth.kernel.errors import Invalid

SEEN = """1 1.0 1.0.0 1.0.1 1.1 2 10 0.9 1.0a1 1.0b2 1.0rc1 1.0.dev3 1.0a1.dev2 1.0.post1 1.0.post1.dev4 1!0.5 1.0+local
1.0+local.2 1.0+local.10 1.0alpha1 1.0-1 1.0c1 v1.0 1.0.0.0.1 2026.11.23 1.0.pre2 1.0+1 1.0+a 1.0post 1.0dev""".split()


@pytest.mark.parametrize("one", SEEN)
@pytest.mark.parametrize("other", random.Random(3).sample(SEEN, 12))
def test_they_sort_as_in_packaging(one: str, other: str) -> None:
    ours, theirs = (key(one), key(other)), (Version(one), Version(other))
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])


@pytest.mark.parametrize("text", ["", "one", "1.x", "1..2", "1.0 beta", "1" * 201, "1.0+", "=1.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        key(text)


def test_names_are_compared_as_an_index_does() -> None:
    assert normal("Zope.Interface") == normal("zope_interface") == "zope-interface"
