"""Answers of a time stamp authority that are wrong in one thing each: none of them counts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import tsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from stamp_authority import STAMPING, StampAuthority
from troth.gateway.provenance.stamp_rules import check

AUTHORITY = StampAuthority()
QUERY = tsp.TimeStampReq({
    "version": "v1",
    "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": secrets.token_bytes(32)},
    "nonce": secrets.randbits(64),
    "cert_req": True,
}).dump()  # fmt: skip


def judged(**how: Any) -> None:
    AUTHORITY.how = how
    check(AUTHORITY.reply(QUERY), QUERY, datetime.now(UTC))


def test_a_right_answer_passes_with_modifications_too() -> None:
    judged()
    judged(status="granted_with_mods")


def below(**wrong: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"leaf": AUTHORITY.below(**wrong)}


def wrong(**how: Any) -> Callable[[], dict[str, Any]]:
    return lambda: how


def away(**by: float) -> Callable[[], dict[str, Any]]:
    return lambda: {"time": datetime.now(UTC) + timedelta(**by)}


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "rejection": (wrong(status="rejection"), "granted"),
    "waiting": (wrong(status="waiting"), "granted"),
    "revocation": (wrong(status="revocation_warning"), "granted"),
    "nonce": (wrong(nonce=1), "nonce"),
    "no-nonce": (wrong(nonce=None), "nonce"),
    "imprint": (wrong(imprint=b"1" * 32), "imprint"),
    "hour-late": (away(hours=1), "another time"),
    "hour-early": (away(hours=-1), "another time"),
    "year-late": (away(days=365), "another time"),
    "eku-not-critical": (below(critical=False), "alone"),
    "no-eku": (below(purposes=()), "not for time stamps"),
    "eku-email": (below(purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)), "alone"),
    "eku-two": (below(purposes=(STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)), "alone"),
    "eku-any": (below(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)), "alone"),
    "another-certificate": (wrong(named=b"3" * 32), "meant"),
    "another-signer": (lambda: {"whose": AUTHORITY.root}, "another signer"),
    "no-certificates": (wrong(held=[]), "certificate"),
    "inside-data": (wrong(inside="data"), "inside"),
    "signed-as-data": (wrong(signed_as="data"), "something else"),
    "two-signers": (wrong(signers=2), "values"),
    "trailing": (wrong(mangled=lambda made: made + b"\0"), "values|cut|length"),
    "cut": (wrong(mangled=lambda made: made[:-9]), "cut"),
    "empty": (wrong(mangled=lambda made: b""), "values"),
    "garbage": (wrong(mangled=lambda made: b"\x30\x84\xff\xff\xff\xff" * 99), "cut"),
    "indefinite": (wrong(mangled=lambda made: b"\x30\x80" + made[4:] + b"\0\0"), "length"),
}


@pytest.mark.parametrize(("how", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_refused(how: Callable[[], dict[str, Any]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        judged(**how())


@settings(deadline=None)
@given(at=st.integers(0, 1 << 16), byte=st.binary(min_size=1, max_size=4))
def test_bytes_that_anybody_changed_break_nothing(at: int, byte: bytes) -> None:
    AUTHORITY.how = {}
    made = AUTHORITY.reply(QUERY)
    at %= len(made)
    try:
        check(made[:at] + byte + made[at + len(byte) :], QUERY, datetime.now(UTC))
    except (ValueError, LookupError, StopIteration, TypeError):
        return
