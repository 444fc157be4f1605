from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_world import TestKey
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.cosignature import Cosigner, Ed25519Cosigner, MlDsa44Cosigner, with_signatures
from troth.audit.note import Note, VerifierKey, parse_note
from troth.audit.tlog_policy import MAX_BYTES, MAX_GROUPS, MAX_LOGS, MAX_WITNESSES, TlogPolicy
from troth.kernel.errors import IntegrityError, Malformed

CHECKPOINT = Checkpoint("troth.test/log/operator", 300, bytes(range(32)))
LOG_KEY = TestKey("troth.test/log/operator")
LOG = VerifierKey(LOG_KEY.name, LOG_KEY.public_key)
X = [Ed25519Cosigner(f"x{at}.test", bytes([10 + at]) * 32) for at in range(3)]
Y = [MlDsa44Cosigner(f"y{at}.test", bytes([20 + at]) * 32) for at in range(2)]
NESTED = f"""
# the example of the specification, with two logs of Y
log {LOG} https://log.test/

witness X1 {X[0].verifier}
witness X2 {X[1].verifier} https://x2.test/w
 witness\tX3 {X[2].verifier}\t
group X-witnesses 2 X1 X2 X3
witness Y1 {Y[0].verifier}
witness Y2 {Y[1].verifier}
group Y-witnesses any Y1 Y2

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def parse(text: str) -> TlogPolicy:
    return TlogPolicy.parse(text.encode())


def note(*cosigners: Cosigner, checkpoint: Checkpoint = CHECKPOINT, key: VerifierKey = LOG) -> bytes:
    made = parse_note(signed(checkpoint, key, LOG_KEY.sign(checkpoint.text().encode())))
    return with_signatures(made, tuple(one.cosign(made.text, 1_790_000_000) for one in cosigners)).encode()


def test_the_example_of_the_specification() -> None:
    policy = parse(NESTED)
    assert policy.require(note(X[0], X[2], Y[1])) == CHECKPOINT
    assert [one.url for one in policy.witnesses] == [None, "https://x2.test/w", None, None, None]
    assert policy.logs[0].url == "https://log.test/"
    for too_few in ((), (X[0], Y[0], Y[1]), (X[0], X[1], X[2])):
        with pytest.raises(IntegrityError) as caught:
            policy.require(note(*too_few))
        assert caught.value.code == "no-quorum"


def test_one_witness_alone_does_not_count_twice() -> None:
    policy = parse(f"log {LOG}\nwitness a {X[0].verifier}\nwitness b {X[1].verifier}\ngroup g 2 a b\nquorum g\n")
    twice = parse_note(note(X[0]))
    with pytest.raises(IntegrityError, match="Not enough"):
        policy.require(Note(twice.text, (*twice.signatures, twice.signatures[-1])).encode())


def test_quorum_none_needs_the_log_only() -> None:
    policy = parse(f"log {LOG}\nquorum none\n")
    assert policy.require(note()) == CHECKPOINT


def test_a_log_must_sign() -> None:
    policy = parse(f"witness a {X[0].verifier}\nquorum a\n")
    with pytest.raises(IntegrityError) as caught:
        policy.require(note(X[0]))
    assert caught.value.code == "unknown-key"
    assert policy.require(note(X[0]), log=LOG) == CHECKPOINT


def test_a_key_speaks_for_its_own_log_only() -> None:
    policy = parse(f"log {LOG}\nwitness a {X[0].verifier}\nquorum a\n")
    other = Checkpoint("troth.test/log/other", 300, bytes(32))
    with pytest.raises(IntegrityError) as caught:
        policy.require(note(X[0], checkpoint=other))
    assert caught.value.code == "wrong-log"


def test_a_bad_signature_of_a_known_witness_rejects_the_note() -> None:
    policy = parse(f"log {LOG}\nwitness a {X[0].verifier}\nwitness b {X[1].verifier}\ngroup g any a b\nquorum g\n")
    good = parse_note(note(X[0]))
    bad = X[1].cosign(Checkpoint("o", 1, bytes(32)).text(), 9)
    with pytest.raises(IntegrityError, match="does not hold"):
        policy.require(Note(good.text, (*good.signatures, bad)).encode())


W = f"witness a {X[0].verifier}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        W,
        "quorum a\n",
        "quorum none\nquorum none\n",
        "quorum\n",
        "quorum none none\n",
        "what a\nquorum none\n",
        "log\nquorum none\n",
        "log nonsense\nquorum none\n",
        f"log {X[0].verifier}\nquorum none\n",  # a key of witnesses
        f"log {LOG}\nlog {LOG}\nquorum none\n",
        f"log {LOG}\nlog {VerifierKey('other.test', LOG_KEY.public_key)}\nquorum none\n",  # another name, one key
        f"log {LOG} https://a b\nquorum none\n",
        f"witness\n{W}quorum a\n",
        "witness a\nquorum a\n",
        f"witness a {LOG}\nquorum a\n",  # a key of logs
        f"witness none {X[0].verifier}\nquorum none\n",
        f"{W}witness a {X[1].verifier}\nquorum a\n",
        f"{W}witness b {X[0].verifier}\nquorum a\n",
        f"witness a {str(X[0].verifier)[:-4]}\nquorum a\n",
        f"{W}group g any\nquorum g\n",
        f"{W}group g any b\nquorum g\n",
        f"{W}group g any g\nquorum g\n",
        f"{W}group g any none\nquorum g\n",
        f"{W}group a any a\nquorum a\n",
        f"{W}group g 2 a\nquorum g\n",
        f"{W}group g 0 a\nquorum g\n",
        f"{W}group g 01 a\nquorum g\n",
        f"{W}group g some a\nquorum g\n",
        f"{W}group g any a a\nquorum g\n",
        f"{W}group g any a\ngroup h any a\nquorum g\n",  # each may be a member once
        f"{W}quorum g\ngroup g any a\n",
        f"{W}quorum a\r\n",
        f"{W}quorum a\x00\n",
        f"witness a {W}".replace("witness a witness", "witness\u00a0a"),  # only blanks and tabs part words
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.code == "bad-policy"


def test_names_are_octets() -> None:
    policy = TlogPolicy.parse(
        b"witness K %s\nwitness \xe2\x84\xaa %s\ngroup g all K \xe2\x84\xaa\nquorum \xe2\x84\xaa"
        % (str(X[0].verifier).encode(), str(X[1].verifier).encode())
    )
    assert policy.require(note(X[1]), log=LOG) == CHECKPOINT
    with pytest.raises(IntegrityError):
        policy.require(note(X[0]), log=LOG)
    raw = TlogPolicy.parse(b"# \xff\xfe\nwitness \xff %s https://\xfe\nquorum \xff" % str(X[0].verifier).encode())
    assert raw.require(note(X[0]), log=LOG) == CHECKPOINT
    with pytest.raises(Malformed):
        TlogPolicy.parse(b"witness a \xff%s\nquorum a" % str(X[0].verifier).encode())


def test_limits() -> None:
    keys = [Ed25519Cosigner("w.test", bytes([at, 1]) * 16).verifier for at in range(MAX_LOGS + 1)]
    logs = [VerifierKey("l.test", key.public_key) for key in keys]
    witnesses = "".join(f"witness w{at} {key}\n" for at, key in enumerate(keys[:MAX_WITNESSES]))
    chain = "".join(f"group g{at} any {f'g{at - 1}' if at else 'w0'}\n" for at in range(MAX_GROUPS))
    whole = "".join(f"log {key}\n" for key in logs[:MAX_LOGS]) + witnesses + chain
    deepest = f"quorum g{MAX_GROUPS - 1}\n"
    policy = parse(whole + deepest)
    assert policy.require(note(Ed25519Cosigner("w.test", bytes([0, 1]) * 16)), log=LOG) == CHECKPOINT
    for more in (f"log {logs[-1]}\n", f"witness more {keys[-1]}\n", "group more any w1\n"):
        with pytest.raises(Malformed, match="too many"):
            parse(whole + more + deepest)
    with pytest.raises(Malformed, match="256 KiB"):
        parse("#" * MAX_BYTES + "\n" + W + "quorum a\n")


@given(
    st.binary(max_size=120) | st.lists(st.sampled_from(NESTED.split(" ")), max_size=30).map(" ".join).map(str.encode)
)
def test_anything_is_a_policy_or_a_typed_refusal(content: bytes) -> None:
    try:
        policy = TlogPolicy.parse(content)
    except Malformed:
        return
    assert policy.quorum
