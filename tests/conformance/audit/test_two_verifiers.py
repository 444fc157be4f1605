"""The command line and the page judge alike: what holds, how much was looked at, and what is wrong where."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from log_verifiers import Command, Given, Page, Refused, Verifier
from tampering import LOG, OTHER, Logs, forged_proof
from troth.audit.note import VerifierKey
from troth.audit.proof_text import JointProof, ProofText
from troth.cli.audit import audit
from troth.kernel.errors import TrothError
from troth.vault.evidence_bundle import SIGNED, is_subject, sign_evidence

ROUNDS = 150


def verdict(verifier: Verifier, given: Given) -> tuple[str, Any]:
    """What it found, or what it said and the entry it named."""
    try:
        return ("holds", verifier.check(given))
    except Refused as refusal:
        return (str(refusal), refusal.first)


def facts(found: dict[str, Any]) -> dict[str, Any]:
    """What was found; of what was not looked at, how many things (the command names its options there)."""
    return {**found, "unchecked": len(found["unchecked"])}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_they_find_the_same_in_an_honest_log(logs: Logs, command: Command, page: Page) -> None:
    early = logs.scratch / "early" / "checkpoint"
    for given in (logs.honest, replace(logs.honest, trusted=(early,))):
        found = command.check(given)
        assert facts(page.check(given)) == facts(found)
        assert found["size"] == found["read"] == 730
    proof = forged_proof(logs).honest
    ours, theirs = command.check(proof), page.check(proof)
    assert (ours["origin"], ours["index"], ours["size"]) == (theirs["origin"], theirs["index"], theirs["size"])
    assert ours["meta_index"] == theirs["meta"] is not None


@pytest.mark.parametrize("tiles", [False, True])
def test_they_find_the_same_in_a_pruned_log(logs: Logs, command: Command, page: Page, *, tiles: bool) -> None:
    folder = logs.copy("pruned")
    for level in ("entries", "0") if tiles else ("entries",):
        (folder / "tile" / level / "000").unlink()
    given = replace(logs.honest, folder=folder, minimum=256, trusted=(logs.scratch / "early" / "checkpoint",))
    found = command.check(given)
    assert facts(page.check(given)) == facts(found)
    assert (found["read"], found["compared"]) == (730 - 256, 700)
    assert "256 entries were pruned" in found["unchecked"][0]
    for verifier in (command, page):
        with pytest.raises(Refused, match="Entry 0"):
            verifier.check(replace(given, minimum=255))


def test_they_name_the_same_entry_whatever_byte_is_changed(logs: Logs, command: Command, page: Page) -> None:
    folder = logs.copy("bytes")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    given, dice = replace(logs.honest, folder=folder), random.Random(5)
    for _ in range(ROUNDS):
        file = dice.choice(files)
        content = file.read_bytes()
        at, way = dice.randrange(len(content)), dice.randrange(4)
        bent = {
            0: content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :],
            1: content[:at] + content[at + 1 :],
            2: content[:at],
            3: content[:at] + b"\x00" + content[at:],
        }[way]
        file.write_bytes(bent)
        ours, theirs = verdict(command, given), verdict(page, given)
        file.write_bytes(content)
        assert ours[0] != "holds" or bent == content, (file, at, way)
        assert (ours[0] == "holds") == (theirs[0] == "holds"), (file, at, way, ours, theirs)
        assert ours[0] == "holds" or ours[1] == theirs[1], (file, at, way, ours, theirs)


def test_they_judge_bent_proofs_alike(logs: Logs, command: Command, page: Page, tmp_path: Path) -> None:
    honest = forged_proof(logs).honest
    assert honest.proof
    text, dice = honest.proof.read_text(), random.Random(6)
    given = replace(honest, proof=tmp_path / "proof")
    for _ in range(ROUNDS):
        at = dice.randrange(len(text))
        bent = [text[:at] + chr(33 + dice.randrange(90)) + text[at + 1 :], text[:at] + text[at + 1 :], text[:at]]
        (tmp_path / "proof").write_text(dice.choice(bent))
        ours, theirs = verdict(command, given)[0], verdict(page, given)[0]
        assert (ours == "holds") == (theirs == "holds"), (at, ours, theirs)


def test_a_browser_without_ed25519_is_told_so_and_sees_nothing_green(logs: Logs, page: Page) -> None:
    given = logs.honest
    with pytest.raises(Refused, match="cannot check Ed25519"):
        page.ask(trust=given.trust, folder=given.folder, blind=True)
    assert page.check(given)["size"] == 730


@pytest.mark.parametrize(
    "trust",
    [
        "",
        "nonsense",
        "# only a comment",
        "log {key}",
        "log {key}\nquorum more",
        "log {key}\nquorum none\nquorum none",
        "log {key}\nwitness w {key}\nquorum w",
        "log {key}\ngroup g any nobody\nquorum g",
        "witness none {key}\nquorum none",
    ],
)
def test_they_refuse_the_same_policies(logs: Logs, command: Command, page: Page, trust: str) -> None:
    lines = trust.format(key=logs.world.vkey("meta")) + "\n"
    for verifier in (command, page):
        with pytest.raises(Refused):
            verifier.check(Given(lines, folder=logs.scratch / LOG))


def test_a_copy_is_enough(logs: Logs, command: Command, page: Page, tmp_path: Path) -> None:
    """What was exported needs nothing of the place where it was made."""
    shutil.copytree(logs.scratch / LOG, tmp_path / "elsewhere")
    given = replace(logs.honest, folder=tmp_path / "elsewhere")
    assert facts(command.check(given)) == facts(page.check(given))


def test_a_joint_proof_must_hold_in_both_parts(logs: Logs, command: Command, page: Page) -> None:
    leaf, true = logs.world.reader.entry(LOG, 7), JointProof.parse(logs.world.prover.proof(LOG, 7))
    foreign = JointProof.parse(logs.world.prover.proof(OTHER, 7)).meta
    early = ProofText.parse(str(true.entry))
    assert true.meta
    assert foreign
    older = (logs.scratch / "early" / "checkpoint").read_bytes()
    bent = [
        JointProof(true.entry, foreign),  # the meta log holds another tenant's checkpoint there
        JointProof(true.entry, replace(true.meta, index=true.meta.index + 1)),
        JointProof(true.entry, replace(true.meta, path=(*true.meta.path, bytes(32)))),
        JointProof(true.entry, replace(true.meta, checkpoint=early.checkpoint)),  # signed, but no meta log's
        JointProof(replace(true.entry, checkpoint=older), true.meta),  # not the one in the meta log
        JointProof(replace(true.entry, index=8), true.meta),
    ]
    for verifier in (command, page):
        verifier.check(logs.proof("both", str(true), leaf))
        for one in bent:
            with pytest.raises(Refused):
                verifier.check(logs.proof("part", str(one), leaf))


def test_a_log_rewritten_without_the_key_does_not_lead_to_its_root(logs: Logs, command: Command, page: Page) -> None:
    folder = logs.copy("rewritten")
    checkpoint = (folder / "checkpoint").read_bytes()
    logs.rewritten(folder, lambda own: [*own[:9], b"{}", *own[10:]], logs.world.key)
    (folder / "checkpoint").write_bytes(checkpoint)
    for verifier in (command, page):
        with pytest.raises(Refused, match="do not lead to the signed root"):
            verifier.check(replace(logs.honest, folder=folder))


def bundled(logs: Logs, target: Path, changes: dict[str, bytes | None]) -> Path:
    """A bundle of the log, signed by its owner, with other files than the true ones (None: left out)."""
    folder = logs.scratch / LOG
    files = {f"log/{one.relative_to(folder)}": one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    files = {name: one for name, one in {**files, **changes}.items() if one is not None}
    digests = {name: sha256(one).hexdigest() for name, one in files.items() if is_subject(name)}
    told = {"made_at": 1, "promises": {"counts": {"kept": 1}}}
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in {**files, SIGNED: sign_evidence(digests, told, logs.world.key)}.items():
            packed.writestr(name, content)
    return target


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, None),
        ({"log/tile/entries/000": None, "log/minimum": b"256\n"}, None),
        ({"log/tile/entries/000": None, "log/minimum": b"0\n"}, "log: "),
        ({"log/tile/entries/000": None}, "log: "),
        ({"log/minimum": b"x"}, "log: "),
        ({"certificates/1.json": b"{}"}, "certificates/1.json: "),
        ({"proofs/1.tlog-proof": b"nothing"}, ""),
    ],
)
def test_the_owner_signs_bundles_and_still_cannot_bend_what_is_in_them(
    logs: Logs, page: Page, tmp_path: Path, changes: dict[str, bytes | None], says: str | None
) -> None:
    path = bundled(logs, tmp_path / "bundle.zip", changes)
    done = CliRunner().invoke(audit, ["verify-bundle", str(path), "--key", logs.honest.trust, "--json"])
    if says is None:
        assert page.ask(trust=logs.honest.trust, bundle=path)["log"]["read"] == json.loads(done.stdout)["log"]["read"]
        return
    assert isinstance(done.exception, TrothError)
    assert done.exception.advice.startswith(says)
    with pytest.raises(Refused) as caught:
        page.ask(trust=logs.honest.trust, bundle=path)
    assert str(caught.value).startswith(says)


def test_a_bundle_whose_proof_is_of_another_entry(logs: Logs, page: Page, tmp_path: Path) -> None:
    proof = {"proofs/7.tlog-proof": logs.world.prover.proof(LOG, 7).encode()}
    for leaf, holds in ((7, True), (8, False)):
        entry = {"proofs/7.json": logs.world.reader.entry(LOG, leaf)}
        path = bundled(logs, tmp_path / f"{leaf}.zip", {**proof, **entry})
        done = CliRunner().invoke(audit, ["verify-bundle", str(path), "--key", logs.honest.trust])
        assert (done.exit_code == 0) is holds
        if holds:
            page.ask(trust=logs.honest.trust, bundle=path)
            continue
        with pytest.raises(Refused, match=r"^proofs/7\.tlog-proof: Entry 7"):
            page.ask(trust=logs.honest.trust, bundle=path)


def test_a_policy_speaks_of_its_own_installation_only(logs: Logs, command: Command, page: Page) -> None:
    """The same key under another host's name is another installation's word."""
    public = VerifierKey.parse(logs.world.vkey(LOG)).public_key
    for host, holds in (("troth.test", True), ("other.test", False)):
        policy = f"log {VerifierKey(f'{host}/log/meta', public)}\nquorum none\n"
        for verifier in (command, page):
            if holds:
                verifier.check(Given(policy, folder=logs.scratch / LOG))
                continue
            with pytest.raises(Refused, match="installation"):
                verifier.check(Given(policy, folder=logs.scratch / LOG))
