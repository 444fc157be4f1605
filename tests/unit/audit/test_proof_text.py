from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audit.proof_text import JointProof, ProofText
from troth.kernel.errors import IntegrityError

HASH = st.binary(min_size=32, max_size=32)


@given(st.integers(0, 10**17), st.lists(HASH, max_size=63), st.none() | st.binary(max_size=50))
def test_proofs_read_back(index: int, path: list[bytes], extra: bytes | None) -> None:
    proof = ProofText(index, tuple(path), b"o\n1\nAAAA\n\n\xe2\x80\x94 o AAAA\n", extra)
    assert ProofText.parse(str(proof)) == proof


def test_malformed_proofs() -> None:
    good = str(ProofText(3, (b"\x01" * 32,), b"checkpoint\n", b"x"))
    ProofText.parse(good)
    for text in (
        "",
        good.replace("@v1", "@v2"),
        good.replace("index 3", "index 03"),
        good.replace("index 3", "index -3"),
        good.replace("index 3\n", ""),
        good.replace("index 3", "index ٣"),
        good.replace("\n\n", "\n"),
        good.replace("AQEB", "AQ", 1),
        good.replace("extra eA==", "extra eB=="),
        good.replace("extra", "more"),
        good + "x" * (1 << 20),
        str(ProofText(3, (b"\x01" * 32,) * 64, b"c\n")),
        str(ProofText(3, (b"\x01" * 31,), b"c\n")),
        "c2sp.org/tlog-proof@v1\n\nx",
    ):
        with pytest.raises(IntegrityError):
            ProofText.parse(text)


@given(st.text(max_size=200))
def test_anything_else_is_refused_with_a_typed_error(text: str) -> None:
    with pytest.raises(IntegrityError):
        ProofText.parse("c2sp.org/tlog-proof@v1\nindex x" + text)


_FIRST = ProofText(3, (b"\x01" * 32,), b"o\n4\nAAAA\n\n\xe2\x80\x94 o AAAA\n")
_SECOND = ProofText(0, (), b"m\n1\nAAAA\n\n\xe2\x80\x94 m AAAA\n")


def test_a_joint_proof_is_two_proofs_in_one_file() -> None:
    joint = JointProof(_FIRST, _SECOND)
    assert str(joint) == f"{_FIRST}\n{_SECOND}"
    assert JointProof.parse(str(joint)) == joint


def test_a_plain_proof_is_a_joint_proof_without_a_second_part() -> None:
    assert JointProof.parse(str(_FIRST)) == JointProof(_FIRST)


def test_a_log_whose_name_is_the_header_does_not_split_its_proof() -> None:
    strange = ProofText(3, (), b"c2sp.org/tlog-proof@v1\n4\nAAAA\n\n\xe2\x80\x94 o AAAA\n")
    assert JointProof.parse(f"{strange}\n{_SECOND}") == JointProof(strange, _SECOND)


@pytest.mark.parametrize("text", [f"{_FIRST}\n{_SECOND}\n{_SECOND}", f"{_FIRST}{_SECOND}\n\nx" + "x" * (1 << 20)])
def test_more_than_two_parts_or_a_mebibyte_are_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        JointProof.parse(text)
