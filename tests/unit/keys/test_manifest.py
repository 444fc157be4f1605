"""Manifests: canonical, bound, and nothing else accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import IntegrityError
from troth.keys.manifest import DomainSeal, Manifest, decode

SEALS = (DomainSeal("local", "eu-00000002-00", "A0", b"sealed", b"canary"),)
MANIFEST = Manifest("eu", 2, "ab" * 32, "cd" * 16, "ef" * 32, 1_700_000_000_000, SEALS)


def test_it_round_trips_and_its_digest_names_its_bytes() -> None:
    assert decode(MANIFEST.encoded()) == MANIFEST
    assert decode(MANIFEST.encoded()).digest == MANIFEST.digest
    assert replace(MANIFEST, created=1).digest != MANIFEST.digest


@pytest.mark.parametrize(
    "change",
    [{"jurisdiction": "us"}, {"epoch": 3}, {"previous": ""}, {"root_page": ""}, {"pages": ""}, {"split": True}],
)
def test_each_member_is_bound_to_what_is_sealed(change: dict[str, object]) -> None:
    assert replace(MANIFEST, **change).aad("canary", "local") != MANIFEST.aad("canary", "local")  # type: ignore[arg-type]


def test_domain_and_purpose_are_bound_too() -> None:
    values = {MANIFEST.aad(purpose, domain) for purpose in ("canary", "root-page-key") for domain in ("a", "b")}
    assert len(values) == 4


@given(
    raw=st.one_of(st.binary(max_size=60), st.sampled_from([b"[]", b"{}", b"1", b'{"type": "x"}', b'{"type": null}']))
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode(raw)


@pytest.mark.parametrize("cut", [b'"epoch":2,', b'"canary":"Y2FuYXJ5",', b'"domains":'])
def test_a_missing_member_is_refused(cut: bytes) -> None:
    assert cut in MANIFEST.encoded()
    with pytest.raises(IntegrityError):
        decode(MANIFEST.encoded().replace(cut, b""))


def test_the_first_format_is_still_read_and_keeps_its_bytes() -> None:
    first = replace(MANIFEST, version=1)
    assert b"split" not in first.encoded()
    assert decode(first.encoded()) == first
    assert first.aad("canary", "local") != MANIFEST.aad("canary", "local")


def test_the_first_format_cannot_claim_a_split() -> None:
    for body, change in (
        (replace(MANIFEST, version=1).encoded(), b'"split":true,"type"'),
        (MANIFEST.encoded(), b'"type"'),
    ):
        cut = body.replace(b'"split":false,', b"").replace(b'"type"', change)
        with pytest.raises(IntegrityError):
            decode(cut)
