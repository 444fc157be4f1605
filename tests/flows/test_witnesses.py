"""A house whose log a real witness process cosigns: what waits for it, what goes on without it, and who is caught."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from house import House, Person, house, house_settings
from troth.audit.note import VerifierKey
from troth.audit.proof_text import JointProof
from troth.audit.tlog_policy import TlogPolicy
from troth.audit.verify import Trust, verify_joint, verify_log
from troth.cli.client import Answer, Client
from troth.kernel.caller import anonymous
from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.scope import SYSTEM, within
from troth.keys import keyfile
from troth.keys.signing import LocalSigner
from troth.wiring import build
from troth.wiring.telemetry import readings
from witness_world import command, running_witness, verifiers


@dataclass
class Watched:
    """The house, its policy, and the witness in the next town."""

    home: House
    owner: Person
    policy: Path
    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    pid: int = 0
    address: str = ""

    def trust(self, log: str = "operator") -> Trust:
        """What somebody trusts who has the key of a log and the policy."""
        return Trust(self.home.system.base.sequencer.origins.key(log), TlogPolicy.parse(self.policy.read_bytes()))

    def tenant_trust(self) -> Trust:
        """The same for the tenant's log."""
        return self.trust(self.owner.tenant)

    def away(self) -> None:
        """Kill the witness without a warning."""
        os.kill(self.pid, signal.SIGKILL)
        self.stack.close()

    def back(self) -> None:
        """Start it again where it was."""
        port = int(self.address.rpartition(":")[2]) if self.address else 0
        process, self.address = self.stack.enter_context(running_witness(self.folder, port))
        self.pid = process.pid


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("witnessed")
    folder, live = root / "witness", root / "live"
    command("init", folder, "--name", "auditor.example/w1")
    signer = LocalSigner.open(keyfile.private_folder(live / "keys") / "signing", "localhost")
    for log in ("operator", "meta"):
        command("add-log", folder, str(VerifierKey(f"localhost/log/{log}", signer.public_key)))
    made = Watched(None, None, root / "policy", folder)  # type: ignore[arg-type]
    made.back()
    ed25519, ml_dsa = verifiers(folder)
    lines = [f"witness classic {ed25519} {made.address}/", f"witness quantum {ml_dsa} {made.address}/"]
    made.policy.write_text("\n".join([*lines, "group both all classic quantum", "quorum both", ""]))
    with made.stack, house(live, audit={"witness_policy": made.policy, "witness_seconds": 0.5}) as home:
        made.home, made.owner = home, home.tenant("witnessed")
        yield made


def proven(watched: Watched, index: int) -> tuple[str, bytes]:
    watched.home.system.base.sequencer.flush()
    shown = watched.home.ok("GET", f"/v1/activity/{index}/proof", watched.owner.headers)
    return shown["proof"], shown["leaf"].encode()


def cosigned(watched: Watched) -> bytes:
    """The served checkpoint once it has the quorum: a witness that just came back is asked again in a while."""
    until = time.monotonic() + 30
    while True:
        note: bytes = watched.home.call("GET", "/v1/log/checkpoint", watched.home.operator).content
        with contextlib.suppress(IntegrityError):
            watched.trust().witnessed(note)
            return note
        assert time.monotonic() < until
        time.sleep(0.2)


def test_the_checkpoint_that_is_served_has_the_quorum(watched: Watched) -> None:
    home = watched.home
    note = cosigned(watched)
    assert watched.trust().witnessed(note).origin == "localhost/log/operator"
    audited = verify_log(lambda path: _resource(home, path), watched.trust())
    assert (audited.witnessed, audited.witnesses) == (audited.size, ("classic", "quantum"))


def test_a_proof_of_a_tenant_holds_under_the_policy(watched: Watched) -> None:
    text, leaf = proven(watched, 0)
    found = verify_joint(text, leaf, watched.tenant_trust())
    assert (found.index, found.witnesses) == (0, ("classic", "quantum"))
    stripped = re.sub(r"— auditor\.example/w1 .*\n", "", text)
    with pytest.raises(IntegrityError) as caught:
        verify_joint(stripped, leaf, watched.tenant_trust())
    assert caught.value.code == "no-quorum"


def test_the_certificate_of_an_erasure_bears_the_cosignatures(watched: Watched) -> None:
    home = watched.home
    her = home.member(watched.owner, "ida@witnessed.example.org")
    erased = home.ok("POST", "/v1/erasures/own", her.headers, confirm="erase everything about me")
    envelope = home.ok("GET", f"/v1/certificates/{erased['certificate']}", watched.owner.headers)
    log = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["log"]
    proof, entry = log["proof"], base64.b64decode(log["entry"])
    assert JointProof.parse(proof).meta is not None
    assert verify_joint(proof, entry, watched.tenant_trust()).witnesses == ("classic", "quantum")


def test_without_the_witness_nothing_is_administered_or_destroyed_and_reading_goes_on(watched: Watched) -> None:
    home = watched.home
    him = home.member(watched.owner, "jon@witnessed.example.org")
    key = home.key_headers(him, "generate", "own-data")
    watched.away()
    try:
        person = {"email": "x@witnessed.example.org", "display_name": "X", "roles": ["member"]}
        tenant = {"name": "z", "jurisdiction": "eu", "owner_email": "o@z.example.org", "owner_name": "O"}
        refused = [
            home.call("POST", "/v1/users", watched.owner.headers, **person),
            home.call("POST", "/v1/tenants", home.operator, **tenant),
            home.call("POST", "/v1/erasures/own", him.headers, confirm="erase everything about me"),
            home.call("POST", f"/v1/users/{him.id}/disable", watched.owner.headers),
        ]
        assert [(one.status_code, one.json()["code"]) for one in refused] == [(503, "unwitnessed")] * 4
        assert "bring the witnesses back" in refused[0].json()["detail"]
        assert home.ok("GET", "/v1/me", him.headers)["id"] == him.id
        assert home.ok("GET", "/v1/users", watched.owner.headers)
        assert home.call("GET", "/v1/models", key).status_code == 200
        assert home.call("POST", "/v1/files", key).status_code != 503
        with within(SYSTEM):
            shown = {one.name: one.values() for one in readings(home.system, dict) if "witness" in one.name}
        assert shown["troth_log_witnessed"]["meta"] == 0.0
        assert shown["troth_log_witness_up"] == {"classic": 0.0, "quantum": 0.0}
        readiness = home.call("GET", "/readyz", home.operator)
        assert (readiness.status_code, readiness.json()["witnesses"]) == (200, False)
        listed = home.ok("GET", "/v1/activity", watched.owner.headers, outcome="refused")["entries"]
        assert "unwitnessed" in {one["code"] for one in listed}
        assert verify_joint(*proven(watched, 0), watched.tenant_trust()).witnesses  # what they saw stays proven
    finally:
        watched.back()
    assert home.ok("POST", "/v1/erasures/own", him.headers, confirm="erase everything about me")["state"] == "done"


def test_a_house_that_was_put_back_as_a_whole_stops(watched: Watched, tmp_path: Path) -> None:
    """Data, keys and log of one moment together, which nothing inside the house can notice."""
    old, other = tmp_path / "old", tmp_path / "witness"
    command("init", other, "--name", "auditor.example/w2")
    signer = LocalSigner.open(keyfile.private_folder(old / "keys") / "signing", "localhost")
    for log in ("operator", "meta"):
        command("add-log", other, str(VerifierKey(f"localhost/log/{log}", signer.public_key)))
    with within(SYSTEM), running_witness(other) as (_, address):
        policy = tmp_path / "policy"
        policy.write_text(f"witness w {verifiers(other)[0]} {address}\nquorum w\n")
        settings = house_settings(old, audit={"witness_policy": policy})
        first = build(settings)
        first.start()
        first.system.identity.bootstrap.operator("operator@troth.example.org", "eu")
        first.stop()
        shutil.copytree(old, tmp_path / "copy")
        again = build(settings)
        again.start()
        again.system.dispatcher.refuse("user.list", anonymous(), NotFound("nothing"))
        again.stop()
        put_back = build(house_settings(tmp_path / "copy", audit={"witness_policy": policy}))
        try:
            with pytest.raises(IntegrityError) as caught:
                put_back.start()
            assert caught.value.code == "fork"
            assert not put_back.system.base.sequencer.state().running
        finally:
            put_back.system.base.sequencer.stop()
            put_back.system.base.database.close()


def test_the_keys_of_the_logs_are_told_without_a_sign_in(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    home = watched.home

    class Stranger:
        def call(self, method: str, path: str) -> Answer:
            return Answer("application/json", home.call(method, path).content)

    monkeypatch.setattr(Client, "from_environment", Stranger)
    keys = [home.system.base.sequencer.origins.key(log) for log in ("operator", "meta")]
    assert command("log-keys").splitlines() == [str(key) for key in keys]
    assert all(key.name in command("show", watched.folder) for key in keys)


def _resource(home: House, path: str) -> bytes:
    return bytes(home.call("GET", f"/v1/log/{path}", home.operator).content)
