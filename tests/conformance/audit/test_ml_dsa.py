"""Our ML-DSA-44 cosignatures (0x06): @noble/post-quantum from npm and the offline page accept them, not bent ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from log_verifiers import NODE, Command, Given, Page, Refused
from tampering import LOG, Logs
from troth.audit.cosignature import Ed25519Cosigner, MlDsa44Cosigner, with_signatures
from troth.audit.note import parse_note
from troth.audit.proof_text import JointProof, ProofText

NPM = Path(sys.prefix) / "npm"
ROOT = Path(__file__).parents[3]
AT = 1_790_000_000
QUANTUM = MlDsa44Cosigner("witness.test/quantum", b"\x01" * 32)
CLASSIC = Ed25519Cosigner("witness.test/classic", b"\x02" * 32)
TEXT = "troth.test/log/meta\n42\n" + "A" * 43 + "=\n"


def message(text: str) -> bytes:
    """The `cosigned_message` of C2SP tlog-cosignature, written here again from its specification."""
    origin, size, _ = text.split("\n", 2)
    name, log = QUANTUM.verifier.name.encode(), origin.encode()
    head = b"subtree/v1\n\0" + bytes([len(name)]) + name + AT.to_bytes(8, "big") + bytes([len(log)]) + log
    return head + bytes(8) + int(size).to_bytes(8, "big") + bytes(32)


@pytest.fixture(scope="module")
def questions() -> list[tuple[dict[str, str], bool]]:
    """A true signature, and bent ones: each byte of interest, the message, the key."""
    signature, key, said = roomy(), QUANTUM.verifier.public_key, message(TEXT)

    def flipped(data: bytes, at: int) -> bytes:
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    asked = [(signature, said, key, True), (signature, flipped(said, 30), key, False)]
    asked += [(flipped(signature, at), said, key, False) for at in (0, 31, 32, 1000, 2335, 2336, 2415, 2419)]
    asked += [(signature, said, flipped(key, 100), False), (signature[:-1], said, key, False)]
    asked += [(other, said, key, False) for other in same_hints(signature)]
    return [({"signature": a.hex(), "message": b.hex(), "key": c.hex()}, holds) for a, b, c, holds in asked]


def roomy() -> bytes:
    """A signature (they are randomized) with two hints in its first polynomial and room behind the last."""
    while True:
        signature = QUANTUM.cosign(TEXT, AT).signature[8:]
        if signature[-4] > 1 and signature[-1] < 80:
            return signature


def same_hints(signature: bytes) -> list[bytes]:
    """The true signature, its hints written in ways that FIPS 204 (algorithm 21) forbids, so that there is only one."""
    head, hints = signature[:-84], bytearray(signature[-84:])
    assert hints[80] > 1, "the first polynomial has two hints at least"
    assert hints[83] < 80, "there is room behind the last hint"
    swapped = bytes([hints[1], hints[0]]) + hints[2:]
    padded = hints[:79] + bytes([1]) + hints[80:]
    return [head + swapped, head + bytes(padded)]


def test_noble_agrees(questions: list[tuple[dict[str, str], bool]]) -> None:
    ready = NPM / ".ready"
    assert ready.exists(), "npm packages are missing; `scripts/npm-packages` installs them"
    pinned = (ROOT / "tests/conformance/audit/npm/package-lock.json").read_text()
    assert pinned == (NPM / "package-lock.json").read_text(), "run scripts/npm-packages"
    whole = [(one, holds) for one, holds in questions if len(one["signature"]) == 2 * 2420]  # it throws on others
    command = [str(NODE), str(Path(__file__).with_name("noble.mjs")), str(NPM)]
    lines = "".join(json.dumps(one) + "\n" for one, _ in whole)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=True)
    assert [line == "true" for line in done.stdout.split()] == [holds for _, holds in whole]


def test_the_page_agrees(page: Page, questions: list[tuple[dict[str, str], bool]]) -> None:
    assert [page.ask(**one)["holds"] for one, _ in questions] == [holds for _, holds in questions]


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "tests/conformance/audit/npm/package-lock.json").read_text()
    assert "://" not in lock
    packages = {name: one for name, one in json.loads(lock)["packages"].items() if name}
    assert packages
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())


def policy(logs: Logs, quorum: str) -> str:
    """Two witnesses, a group of both, and the log's installation."""
    lines = [
        f"log {logs.world.vkey('meta')}",
        f"witness quantum {QUANTUM.verifier}",
        f"witness classic {CLASSIC.verifier} https://witness.test/",
        "group both all quantum classic",
        f"quorum {quorum}",
    ]
    return "\n".join(lines) + "\n"


def cosigned(logs: Logs, *cosigners: Ed25519Cosigner | MlDsa44Cosigner) -> str:
    """A joint proof whose meta checkpoint these have cosigned."""
    joint = JointProof.parse(logs.world.prover.proof(LOG, 5))
    assert joint.meta
    note = parse_note(joint.meta.checkpoint)
    note = with_signatures(note, tuple(one.cosign(note.text, AT) for one in cosigners))
    return str(JointProof(joint.entry, ProofText(joint.meta.index, joint.meta.path, note.encode())))


@pytest.mark.parametrize("which", ["command", "page"])
def test_both_verifiers_ask_for_the_quorum(which: str, logs: Logs, page: Page, tmp_path: Path) -> None:
    verifier = Command(tmp_path) if which == "command" else page
    both, one = cosigned(logs, QUANTUM, CLASSIC), cosigned(logs, QUANTUM)
    leaf = logs.world.reader.entry(LOG, 5)

    def given(name: str, proof: str, quorum: str) -> Given:
        made = logs.proof(name, proof, leaf)
        return Given(policy(logs, quorum), proof=made.proof, leaf=made.leaf)

    assert verifier.check(given("both", both, "both"))["witnesses"] == ["quantum", "classic"]
    assert verifier.check(given("one", one, "quantum"))["witnesses"] == ["quantum"]
    for proof, quorum in ((one, "both"), (one, "classic"), (cosigned(logs), "quantum")):
        with pytest.raises(Refused, match="Not enough witnesses"):
            verifier.check(given("few", proof, quorum))
    with pytest.raises(Refused, match="known key"):
        verifier.check(given("bent", _bent(both), "quantum"))


def _bent(proof: str) -> str:
    """One sign changed inside the last signature."""
    at = len(proof) - 40
    return proof[:at] + ("B" if proof[at] != "B" else "C") + proof[at + 1 :]


@pytest.mark.parametrize("which", ["command", "page"])
def test_a_log_is_witnessed_through_the_meta_log(which: str, logs: Logs, page: Page, tmp_path: Path) -> None:
    verifier = Command(tmp_path) if which == "command" else page
    (tmp_path / "joint").write_text(cosigned(logs, QUANTUM, CLASSIC))
    given = Given(policy(logs, "both"), folder=logs.scratch / LOG, joint=tmp_path / "joint", key=logs.world.vkey(LOG))
    found = verifier.check(given)
    assert (found["witnessed"], found["witnesses"], found["read"]) == (730, ["quantum", "classic"], 730)
    with pytest.raises(Refused, match="Not enough witnesses"):
        verifier.check(Given(given.trust, folder=given.folder, key=given.key))
    (tmp_path / "joint").write_text(cosigned(logs, QUANTUM))
    with pytest.raises(Refused, match="Not enough witnesses"):
        verifier.check(given)
