"""A tenant moves from Europe to the United States: sealed on the way, whole at the end, forgotten where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from database_world import DATABASES, fresh_place
from house import PASSWORD, house_settings
from troth.cli.moving import tenant_move
from troth.identity.keys import NewKey
from troth.identity.store import api_keys, tenants, users
from troth.identity.users import NewUser
from troth.kernel.caller import Connection
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, IntegrityError, Invalid, NotFound, TrothError, Unavailable
from troth.kernel.scope import SYSTEM, Scope, within
from troth.keys.signing import LocalSigner
from troth.storage.blobs import LocalBlobs
from troth.vault import ledger
from troth.vault.certificate import verify_certificate
from troth.vault.consent import TRAINING
from troth.vault.dsse import sign_envelope, verify_envelope
from troth.vault.keeping import blob_name
from troth.vault.moving.departure import Departure
from troth.vault.moving.pins import Pins, Trusted, fingerprint
from troth.vault.moving.transport import ARRIVAL
from troth.vault.objects import KeepRequest
from troth.wiring import Troth, build, opened
from troth.wiring.moving import pins

TLS = Connection(tls="TLSv1.3", zone="public", network="n")
SECRET = b"the plans of the harbour, seventh draft"


@dataclass
class Two:
    """An installation in each jurisdiction, and a tenant of the first."""

    eu: Troth
    us: Troth
    folder: Path
    tenant: str
    ann: str
    ben: str
    kept: dict[str, bytes]
    key: str

    @property
    def bundle(self) -> LocalBlobs:
        return LocalBlobs(self.folder / "bundle")

    def pack(self, invitation: bytes) -> bytes:
        return self.eu.departure().pack(self.tenant, invitation, self.bundle)

    def ask(self) -> None:
        """An operator at the origin asks for the off-boarding."""
        erasures = self.eu.system.vault.erasures
        erasures.request_tenant(self.tenant, actor="usr_operator", request="req_leave", immediate=True)

    def unpack(self, manifest: bytes, bundle: LocalBlobs | None = None) -> bytes:
        return self.us.arriving().unpack(manifest, trusted(self.eu), bundle or self.bundle)


def trusted(troth: Troth) -> Trusted:
    signer = troth.system.base.signer
    return Trusted(signer.name, signer.public_key)


@pytest.fixture(params=DATABASES)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    with ExitStack() as stack:
        stack.enter_context(within(SYSTEM))
        sides = []
        for side in ("eu", "us"):
            place = stack.enter_context(fresh_place(request.param, tmp_path, alone=True))
            data = {"jurisdiction": side, **place.settings}
            settings = house_settings(tmp_path / side, data=data, server={"name": f"{side}.troth.test"})
            troth = build(settings)
            stack.callback(troth.stop)
            troth.start()
            sides.append(troth)
        yield _filled(tmp_path, *sides)


def _filled(folder: Path, eu: Troth, us: Troth) -> Two:
    identity, vault = eu.system.identity, eu.system.vault
    tenant = identity.tenants.create("Harbour", "eu").id
    ann, ben = (
        identity.users.create(NewUser(tenant, f"{name}@harbour.example", name, frozenset({role}), "bootstrap"))
        for name, role in (("ann", "owner"), ("ben", "member"))
    )
    identity.users.change_password(ann.id, ann.password, PASSWORD)

    key = identity.keys.create(NewKey(tenant, ann.id, "a label", frozenset({"own-data"}))).token
    vault.consents.grant(tenant, ann.id, TRAINING, notice="v1")
    kept: dict[str, bytes] = {}
    for number, person in enumerate((ann.id, ann.id, ben.id)):
        content = SECRET + bytes([number]) * (300_000 * number)
        request = KeepRequest(
            tenant=tenant,
            subject=person,
            data_class=DataClass.USER_GENERATED,
            kind="upload",
            media_type="text/plain",
            name=f"plan-{number}.txt",
            content=content,
            own_unit=number != 1,
            derived_from=tuple(kept)[:1] if number == 1 else (),
        )
        kept[vault.objects.keep(request).id] = content
    agree(eu, tenant, trusted(us))
    return Two(eu, us, folder, tenant, ann.id, ben.id, kept, key)


class Apart:
    def stands_apart(self, connection: object, approver: str, asker: str, since: int) -> bool:
        del connection, since
        return approver == "usr_second" and asker != approver

    def check_may_leave(self, *_: object) -> None:
        return


def pins_of(troth: Troth) -> Pins:
    """As at the door, with operators of this test."""
    return Pins(pins(troth.system)._ground, Apart())


def agree(troth: Troth, tenant: str, to: Trusted, *, again: bool = False) -> None:
    """Two operators pin the destination."""
    desk = pins_of(troth)
    if again:
        desk.drop(tenant, actor="usr_first")
    desk.pin(tenant, f"{to.name}={to.key.hex()}", actor="usr_first")
    desk.agree(tenant, fingerprint(to.key).upper(), actor="usr_second")


def test_nobody_alone_says_where_a_tenant_goes(two: Two) -> None:
    """An arrival of one's own making counts for nothing: its key was not agreed to."""
    manifest = two.pack(two.us.arriving().invite())
    arrival = two.unpack(manifest)
    two.ask()
    desk, key = pins_of(two.eu), trusted(two.us).key
    desk.drop(two.tenant, actor="usr_first")
    with pytest.raises(Conflict) as refusal:
        two.eu.departure().finish(manifest, arrival)
    assert refusal.value.code == "move-not-pinned"
    mine = LocalSigner.open(two.folder / "mine", trusted(two.us).name)
    desk.pin(two.tenant, f"{mine.name}={mine.public_key.hex()}", actor="usr_first")
    forged = sign_envelope(verify_envelope(arrival, ARRIVAL, trusted(two.us).keys()), ARRIVAL, mine)
    with pytest.raises(Conflict) as refusal:
        two.eu.departure().finish(manifest, forged)
    assert refusal.value.code == "move-not-agreed"
    for actor, said, code in (
        ("usr_first", fingerprint(mine.public_key), "own-wish"),
        ("usr_late", fingerprint(mine.public_key), "not-apart"),
        ("usr_second", fingerprint(key), "other-key"),  # what the second one read at the destination
    ):
        with pytest.raises(Denied) as denied:
            desk.agree(two.tenant, said, actor=actor)
        assert denied.value.code == code
    with pytest.raises(Conflict):
        desk.pin(two.tenant, f"x={key.hex()}", actor="usr_second")
    agree(two.eu, two.tenant, trusted(two.us), again=True)
    with pytest.raises(IntegrityError):
        two.eu.departure().finish(manifest, forged)
    with pytest.raises(Conflict):
        desk.agree(two.tenant, fingerprint(key), actor="usr_second")
    assert two.eu.departure().finish(manifest, arrival).state == "done"
    for text in ("", "us.test", "=" + key.hex(), "us.test=zz"):
        with pytest.raises(Invalid):
            desk.pin("ten_x", text, actor="usr_first")
    with pytest.raises(NotFound):
        desk.agree("ten_x", fingerprint(key), actor="usr_second")


def test_a_tenant_arrives_whole_and_is_forgotten_where_it_was(two: Two) -> None:
    invitation = two.us.arriving().invite()
    manifest = two.pack(invitation)
    for path in (two.folder / "bundle").rglob("*"):
        assert path.is_dir() or (SECRET not in path.read_bytes() and b"ann@harbour" not in path.read_bytes())
    arrival = two.unpack(manifest)

    us = two.us.system
    for identifier, content in two.kept.items():
        owner = two.ben if content == list(two.kept.values())[2] else two.ann
        with within(Scope(two.tenant)):
            _, found = us.vault.objects.open(two.tenant, owner, identifier)
        assert found == content
        header = us.base.objects.get(blob_name(identifier))
        assert header[7] == 2  # the jurisdiction in the TOB1 header: us
    first, second, _ = two.kept
    assert us.vault.objects.info(two.tenant, two.ann, second).derived_from == (first,)
    assert us.vault.consents.valid(two.tenant, two.ann, TRAINING)
    caller = us.identity.keys.authenticate(two.key, TLS)
    assert (caller.tenant, caller.subject, caller.jurisdiction) == (two.tenant, two.ann, "us")
    assert us.identity.users.get(two.ann).email == "ann@harbour.example"
    account = us.identity.users.account(us.identity.users.email_index("ann@harbour.example"))
    assert account is not None
    assert us.identity.users.password(account) == _password(two.eu, two.ann)
    assert us.identity.tenants.get(two.tenant).jurisdiction == "us"
    assert us.vault.stocktaking.whole().strangers == 0

    with pytest.raises(Conflict) as alone:
        two.eu.departure().finish(manifest, arrival)
    assert alone.value.code == "move-not-asked"
    two.ask()
    done = two.eu.departure().finish(manifest, arrival)
    assert done.certificate is not None
    agreed = [one.actor for one in two.eu.system.vault.erasures.decisions(done.id)]
    key = two.us.system.base.signer.public_key
    assert (done.actor, agreed) == ("usr_operator", [f"opr_move-arrival-{sha256(key).hexdigest()[:32]}"])
    signer = two.eu.system.base.signer
    envelope = two.eu.system.vault.erasures.certificate(two.tenant, done.certificate)
    held = verify_certificate(envelope, {signer.name: signer.public_key})
    assert (held.scope, [one.jurisdiction for one in held.bundles]) == ("tenant", ["us"])
    assert two.eu.departure().finish(manifest, arrival).certificate == done.certificate
    for identifier in two.kept:
        with pytest.raises((Gone, NotFound)):
            two.eu.system.vault.objects.open(two.tenant, two.ann, identifier)
    with two.eu.system.base.database.read(SYSTEM) as connection:
        assert connection.execute(select(users.c.id).where(users.c.tenant == two.tenant)).all() == []
        assert connection.execute(select(api_keys.c.id).where(api_keys.c.user == two.ann)).all() == []
    with pytest.raises(NotFound):  # the key of the bundle is destroyed: every copy of it is noise
        two.unpack(manifest)


def _password(troth: Troth, user: str) -> str | None:
    identity = troth.system.identity
    return identity.users.password(identity.users.account(identity.users.email_index("ann@harbour.example")))


def test_both_sides_go_on_where_they_were_stopped(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = two.us.arriving().invite()
    create, left = LocalBlobs.create, [2]

    def until(self: LocalBlobs, name: str, content: bytes) -> None:
        if name.startswith(("pieces/", "objects/")):
            left[0] -= 1
            if left[0] < 0:
                raise Unavailable("The disk is full.")
        create(self, name, content)

    monkeypatch.setattr(LocalBlobs, "create", until)
    with pytest.raises(Unavailable):
        two.pack(invitation)
    left[0] = 9
    manifest = two.pack(invitation)
    assert left[0] == 8  # two of three pieces were there
    left[0] = 1
    with pytest.raises(Unavailable):
        two.unpack(manifest)
    left[0] = 9
    arrival = json.loads(two.unpack(manifest))
    assert left[0] == 7
    assert arrival["payloadType"].endswith("arrival+json")


def test_what_changed_since_it_was_packed_is_not_let_go(two: Two) -> None:
    manifest = two.pack(two.us.arriving().invite())
    arrival = two.unpack(manifest)
    two.eu.system.vault.consents.grant(two.tenant, two.ben, TRAINING, notice="v1")
    two.ask()
    side: Departure = two.eu.departure()
    with pytest.raises(Conflict) as refusal:
        side.finish(manifest, arrival)
    assert refusal.value.code == "move-changed"
    assert len(two.eu.system.identity.users.list(two.tenant)) == 2


def test_nothing_is_packed_while_an_erasure_has_not_ended(two: Two) -> None:
    invitation, erasures = two.us.arriving().invite(), two.eu.system.vault.erasures
    begun = erasures.request(two.tenant, two.ben, actor=two.ben, request="req_ben")
    for state in ("requested", "waiting", "closing", "held", "running"):
        _set_state(two, begun.id, state)
        with pytest.raises(Conflict) as refusal:
            two.pack(invitation)
        assert refusal.value.code == "move-open-duties"
    _set_state(two, begun.id, "done")
    two.ask()
    assert two.pack(invitation)  # an off-boarding that waits is how the move ends


def _set_state(two: Two, erasure: str, state: str) -> None:
    with two.eu.system.base.database.write(SYSTEM) as connection:
        one = ledger.erasures.c.id == erasure
        connection.execute(ledger.erasures.update().where(one).values(state=state))


def test_a_bundle_that_was_touched_is_refused(two: Two) -> None:
    manifest = two.pack(two.us.arriving().invite())
    names = sorted(two.bundle.names("pieces/"))
    whole = {name: two.bundle.get(name) for name in names}

    def bundle(label: str, pieces: dict[str, bytes]) -> LocalBlobs:
        made = LocalBlobs(two.folder / label)
        for name in two.bundle.names():
            made.create(name, pieces.get(name, two.bundle.get(name)))
        return made

    flipped = bundle("flipped", {names[0]: whole[names[0]][:-1] + bytes([whole[names[0]][-1] ^ 1])})
    swapped = bundle("swapped", {names[0]: whole[names[1]], names[1]: whole[names[0]]})
    short = bundle("short", {})
    short.delete(names[2])
    for broken in (flipped, swapped, short):
        with pytest.raises(TrothError) as refusal:
            two.unpack(manifest, broken)
        assert refusal.value.code in {"move-piece", "move-short"}
    assert two.unpack(manifest)  # the whole one goes on where the broken ones failed


def test_strangers_and_wrong_places_are_refused(two: Two) -> None:
    ours = two.us.arriving().invite()
    with pytest.raises(IntegrityError):
        two.pack(two.eu.arriving().invite())  # not of whom two operators agreed to
    agree(two.eu, two.tenant, trusted(two.eu), again=True)
    with pytest.raises(Conflict) as refusal:  # inside one jurisdiction nothing moves
        two.pack(two.eu.arriving().invite())
    assert refusal.value.code == "move-not-needed"
    agree(two.eu, two.tenant, trusted(two.us), again=True)
    manifest = two.pack(ours)
    with pytest.raises(IntegrityError):
        two.us.arriving().unpack(manifest, trusted(two.us), two.bundle)
    with pytest.raises(Conflict):
        two.eu.arriving().unpack(manifest, trusted(two.eu), two.bundle)
    other = two.us.system.identity.tenants.create("here before", "us").id
    with two.us.system.base.database.write(SYSTEM) as connection:  # an id that somebody here has
        connection.execute(tenants.update().where(tenants.c.id == other).values(id=two.tenant))
    with pytest.raises(Conflict) as refusal:
        two.unpack(manifest)
    assert refusal.value.code == "move-taken"
    assert two.us.system.identity.users.list(two.tenant) == []


def test_the_four_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signers: dict[str, str] = {}
    for side in ("eu", "us"):
        settings = house_settings(tmp_path / side, data={"jurisdiction": side}, server={"name": f"{side}.test"})
        with opened(settings) as troth:
            signer = troth.system.base.signer
            signers[side] = f"{signer.name}={signer.public_key.hex()}"
            if side == "eu":
                tenant = troth.system.identity.tenants.create("Quay", "eu").id
                new = NewUser(tenant, "ann@quay.example", "ann", frozenset({"owner"}), "bootstrap")
                troth.system.identity.users.create(new)

    def run(side: str, *words: str, given: str = "") -> str:
        names = {"folder": tmp_path / side / "data", "keys": tmp_path / side / "keys", "jurisdiction": side}
        for name, value in names.items():
            monkeypatch.setenv(f"TROTH_DATA__{name.upper()}", str(value))
        monkeypatch.setenv("TROTH_SERVER__NAME", f"{side}.test")
        done = CliRunner().invoke(tenant_move, words, input=given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    invitation, manifest, arrival, proof, bundle = (
        str(tmp_path / name) for name in ("invitation", "manifest", "arrival", "proof", "bundle")
    )
    said = run("us", "invite", "--out", invitation)
    assert signers["us"] in said
    here = ("--signer", signers["eu"])
    with opened(house_settings(tmp_path / "eu", data={"jurisdiction": "eu"}, server={"name": "eu.test"})) as troth:
        desk = pins_of(troth)
        desk.pin(tenant, signers["us"], actor="usr_first")
        desk.agree(tenant, said.rpartition("fingerprint")[2].strip(), actor="usr_second")
    run("eu", "pack", tenant, "--invitation", invitation, "--bundle", bundle, "--manifest", manifest)
    run("us", "unpack", "--manifest", manifest, *here, "--bundle", bundle, "--arrival", arrival)
    with opened(house_settings(tmp_path / "eu", data={"jurisdiction": "eu"}, server={"name": "eu.test"})) as troth:
        troth.system.vault.erasures.request_tenant(tenant, actor="usr_operator", request="req_leave", immediate=True)
    last = ("--manifest", manifest, "--arrival", arrival, "--certificate", proof)
    assert "proves it" in run("eu", "finish", *last, given="y\n")
    assert json.loads(Path(proof).read_bytes())["payloadType"]
    refused = CliRunner().invoke(tenant_move, ["unpack", "--manifest", manifest, "--signer", "x=zz", "--bundle", "b",
                                               "--arrival", "a"])  # fmt: skip
    assert refused.exit_code == 2
