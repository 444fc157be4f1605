"""Compromised units: everything under them moves to fresh ones, and what was exposed opens nothing any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import insert, select

from key_world import History, Made, replaced
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError
from troth.keys.field_moving import FieldReencrypter
from troth.keys.incidents import Incidents
from troth.keys.replacements import Replacements
from troth.keys.roots.local import LocalRoot
from troth.keys.transitions import Transitions
from troth.keys.tree import Scope, Use
from troth.storage.blobs import LocalBlobs
from troth.vault import framing
from troth.vault.certificate import verify_certificate
from troth.vault.reencryption import VaultReencrypter
from troth.vault.rights.sealed import STATEMENT
from troth.vault.rights.sealed_columns import SEALED
from troth.vault.rights.store import statements
from troth.vault.store import Row
from troth.vault.tables import objects, row_of
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld

DAY_MS = 86_400_000
WORDS = b"what she stated"


class Killed(BaseException):
    """The process is gone: nothing more of it happens, undoing included."""


@dataclass
class Life:
    """So many steps, then death for good."""

    left: int

    def spend(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


class Mortal:
    """A part whose every step costs life."""

    def __init__(self, inner: Any, life: Life, *steps: str) -> None:
        self._inner, self._life, self._steps = inner, life, steps

    def __getattr__(self, name: str) -> Any:
        if name in self._steps:
            self._life.spend()
        return getattr(self._inner, name)


def incidents(
    world: VaultWorld, life: Life | None = None, pause: Callable[[float], None] = lambda _: None
) -> Incidents:
    ground, tree, database = world.ground, world.tree, world.database
    if life is not None:
        tree = Mortal(tree, life, "mark_compromised", "successor", "destroy_units")  # type: ignore[assignment]
        database = Mortal(database, life, "apply", "write")  # type: ignore[assignment]
        blobs = Mortal(world.blobs, life, "get", "create", "delete")
        ground = replace(ground, tree=tree, database=database, blobs=blobs)  # type: ignore[arg-type]
    fields = FieldReencrypter(tree, world.fields, database, SEALED)
    return Incidents(tree, [VaultReencrypter(ground), fields], pause)


def row(world: VaultWorld, object_id: str) -> Row:
    with world.database.read() as connection:
        return row_of(connection.execute(select(objects).where(objects.c.id == object_id)).mappings().one())


def state_statement(world: VaultWorld, tenant: str = TENANT, subject: str = ANN) -> None:
    sealed = world.fields.seal(tenant, subject, STATEMENT, WORDS)
    values = {"id": f"sta_{subject}", "tenant": tenant, "subject": subject, "about": "x", "text": sealed}
    with world.database.write() as connection:
        connection.execute(insert(statements).values(**values, created_at=1))


def stated(world: VaultWorld, tenant: str = TENANT, subject: str = ANN) -> bytes:
    mine = select(statements.c.text).where(statements.c.subject == subject)
    with world.database.read() as connection:
        sealed = bytes(connection.execute(mine).scalar_one())
    return world.fields.open(tenant, subject, STATEMENT, sealed)


def filled(world: VaultWorld) -> dict[str, bytes]:
    """Ann's things of every kind, by id: own key, shared keys of a day and of the account, derived, shared with Bob."""
    soon = world.ground.now() + 5 * DAY_MS
    own = world.keep(b"own")
    kept = {
        own.id: b"own",
        world.keep(b"dated", own_unit=False, expires_at=soon).id: b"dated",
        world.keep(b"dated too", own_unit=False, expires_at=soon).id: b"dated too",
        world.keep(b"account", own_unit=False, data_class=DataClass.ACCOUNT).id: b"account",
        world.keep(b"derived", derived_from=(own.id,)).id: b"derived",
        world.keep(b"together", owners=(BOB,)).id: b"together",
        world.keep(b"shown", subject=BOB, shown=(ANN,)).id: b"shown",
    }
    state_statement(world)
    return kept


def require_all_open(world: VaultWorld, kept: dict[str, bytes]) -> None:
    for object_id, content in kept.items():
        person = BOB if content == b"shown" else ANN
        info, found = world.objects.open(TENANT, person, object_id)
        assert (found, info.name, info.size) == (content, "note.txt", len(content))
    assert stated(world) == WORDS


def test_a_persons_keys_are_replaced_and_what_was_exposed_opens_nothing(world: VaultWorld) -> None:
    kept = filled(world)
    others = [world.keep(b"bob", subject=BOB).id, world.keep(b"other", tenant=OTHER).id]
    before = {one: row(world, one) for one in (*kept, *others)}
    exposed = [world.tree.key(bytes.fromhex(before[one].unit)) for one in kept]
    made = [
        Made(key, one.tenant, "svc_shared" if one.shared else one.subject, DataClass(one.data_class), one.period or "")
        for key, one in zip(exposed, (before[one] for one in kept), strict=True)
    ]
    stolen = {one: world.blobs.get(before[one].blob or "") for one in kept}
    history, roots, pages = History(), [LocalRoot(world.folder / "roots", "local")], LocalBlobs(world.folder / "pages")
    history.add_database(world.database)
    history.add_blobs({name: pages.get(name) for name in pages.names()})
    assert all(history.opens(one, history.secrets(roots)) for one in made)

    distinct = {key.id for key in exposed}
    assert replaced(incidents(world), Scope.of_subject(TENANT, ANN), "stolen-copy") == len(distinct)

    require_all_open(world, kept)
    history.add_database(world.database)
    history.add_blobs({name: pages.get(name) for name in pages.names()})
    found = history.secrets(roots)
    assert not any(history.opens(one, found) for one in made)
    for one, sealed in stolen.items():
        assert not world.folder.joinpath("blobs", before[one].blob or "").exists()
        for use in Use:
            with pytest.raises(Gone):
                world.tree.key(framing.read_header(sealed).unit, use)
        assert row(world, one).unit not in {unit.hex() for unit in distinct}
    assert [row(world, one) for one in others] == [before[one] for one in others]
    world.tree.verify()
    # The derived copy still goes with its source.
    source = next(one for one, content in kept.items() if content == b"own")
    assert len(world.objects.delete(TENANT, ANN, source).identifiers) == 2


def test_a_whole_tenant_moves_and_another_one_is_left_alone(world: VaultWorld) -> None:
    kept = filled(world)
    bobs, other = world.keep(b"bob", subject=BOB), world.keep(b"other", tenant=OTHER)
    before, units = row(world, other.id), {row(world, one).unit for one in (*kept, bobs.id)}
    replaced(incidents(world), Scope.of_tenant(TENANT), "memory-image")
    require_all_open(world, kept)
    assert world.objects.open(TENANT, BOB, bobs.id)[1] == b"bob"
    assert units.isdisjoint({row(world, one).unit for one in (*kept, bobs.id)})
    assert row(world, other.id) == before
    done = world.erase()  # an erasure afterwards goes through, and is proven as ever
    claims = verify_certificate(
        world.erasures.certificate(TENANT, done.certificate or ""), world.keys(), log_keys=[world.log_key()]
    )
    assert (claims.objects.count, claims.released.count) == (6, 1)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, next(iter(kept)))


def test_a_kill_at_any_step_leaves_everything_and_the_same_call_goes_on(world: VaultWorld) -> None:
    soon = world.ground.now() + 5 * DAY_MS
    kept = {
        world.keep(b"own").id: b"own",
        world.keep(b"dated", own_unit=False, expires_at=soon).id: b"dated",
    }
    state_statement(world)
    scope = Scope.of_subject(TENANT, ANN)
    deaths = 0
    while True:
        reason = f"theft-{deaths}"
        old = {row(world, one).unit for one in kept}
        try:
            replaced(incidents(world, Life(deaths)), scope, reason)
            break
        except Killed:
            deaths += 1
        replaced(incidents(world), scope, reason)
        require_all_open(world, kept)
        for unit in old:
            with pytest.raises(Gone):
                world.tree.key(bytes.fromhex(unit), Use.REENCRYPTION)
    assert deaths > 10
    require_all_open(world, kept)
    world.retention.sweep()
    world.clock.forward(hours=2)
    assert world.retention.sweep().orphans > 0  # what the kills left
    assert set(world.blobs.names("objects/")) == {row(world, one).blob for one in kept}


def test_what_was_sealed_under_a_key_that_is_compromised_meanwhile_is_not_kept(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_unit = world.tree.own_unit

    def exposed(*owner: Any) -> Any:
        key = own_unit(*owner)
        world.tree.mark_compromised([key.id], "memory-image")
        return key

    with monkeypatch.context() as patch:
        patch.setattr(world.tree, "own_unit", exposed)
        with pytest.raises(Conflict) as refusal:
            world.keep(b"late")
    assert refusal.value.code == "key-compromised"
    assert list(world.blobs.names("objects/")) == []


def test_what_is_deleted_while_it_moves_stays_deleted(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    object_id, create = world.keep(b"short-lived").id, world.blobs.create

    def deleted_first(name: str, content: bytes) -> None:
        create(name, content)
        world.objects.delete(TENANT, ANN, object_id)

    with monkeypatch.context() as patch:
        patch.setattr(world.blobs, "create", deleted_first)
        replaced(incidents(world), Scope.of_subject(TENANT, ANN), "memory-image")
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, object_id)
    assert list(world.blobs.names("objects/")) == []


def test_who_reads_while_the_object_moves_gets_it(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    object_id, get = world.keep(b"read me").id, world.blobs.get

    def moved_first(name: str) -> bytes:
        monkeypatch.setattr(world.blobs, "get", get)
        replaced(incidents(world), Scope.of_subject(TENANT, ANN), "memory-image")
        return get(name)

    monkeypatch.setattr(world.blobs, "get", moved_first)
    assert world.objects.open(TENANT, ANN, object_id)[1] == b"read me"


def test_what_is_written_late_under_an_old_key_moves_in_the_second_look(world: VaultWorld) -> None:
    late = world.fields.seal(TENANT, ANN, STATEMENT, WORDS)  # sealed, and not yet written

    def written(_: float) -> None:
        values = {"id": "sta_late", "tenant": TENANT, "subject": ANN, "about": "x", "text": late, "created_at": 1}
        with world.database.write() as connection:
            connection.execute(insert(statements).values(**values))

    replaced(incidents(world, pause=written), Scope.of_subject(TENANT, ANN), "memory-image")
    assert stated(world) == WORDS


def test_content_of_somebody_restricted_moves_and_stays_restricted(world: VaultWorld) -> None:
    kept = filled(world)
    world.restrictions.place(TENANT, ANN, reason="accuracy-contested", officer=None, request="req_1")
    replaced(incidents(world), Scope.of_subject(TENANT, ANN), "memory-image")
    own = next(iter(kept))
    with pytest.raises(Conflict) as refusal:
        world.objects.open(TENANT, ANN, own)
    assert refusal.value.code == "restricted"
    assert world.objects.open(TENANT, ANN, own, duty=True)[1] == b"own"
    world.restrictions.lift(TENANT, ANN, officer=None, request="req_2")
    require_all_open(world, kept)


def test_missing_bytes_stop_it_and_no_key_is_destroyed(world: VaultWorld) -> None:
    object_id = world.keep(b"lost").id
    world.blobs.delete(row(world, object_id).blob or "")
    with pytest.raises(IntegrityError) as refusal:
        replaced(incidents(world), Scope.of_subject(TENANT, ANN), "memory-image")
    assert refusal.value.code == "blob-missing"
    world.tree.key(bytes.fromhex(row(world, object_id).unit), Use.REENCRYPTION)


def test_a_sound_unit_has_no_successor(world: VaultWorld) -> None:
    unit = bytes.fromhex(row(world, world.keep().id).unit)
    with pytest.raises(Conflict) as refusal:
        world.tree.successor(unit)
    assert refusal.value.code == "key-state"


class Anyone:
    def stands_apart(self, connection: Any, approver: str, asker: str, since: int) -> bool:
        del connection, approver, asker, since
        return True


def test_a_job_that_is_killed_at_any_step_ends_at_the_next_start(world: VaultWorld) -> None:
    """The whole tenant: the job's own notes die too; nothing is lost, and what was exposed opens nothing."""
    kept = {world.keep(b"together", owners=(BOB,)).id: b"together"}
    state_statement(world)

    def jobs(life: Life | None = None) -> Replacements:
        database = Mortal(world.database, life, "write") if life else world.database
        told = Transitions(None, "eu")
        return Replacements(
            database,  # type: ignore[arg-type]
            incidents(world, life),
            told,
            world.clock,
            guard=Anyone(),
            approval_above=9,
        )

    deaths = 0
    while True:
        old = {row(world, one).unit for one in kept}
        asked = jobs().ask(Scope.of_subject(TENANT, ANN), f"theft-{deaths}", actor="opr_one")
        try:
            jobs(Life(deaths)).resume()
            break
        except Killed:
            deaths += 4  # each of them is a run of its own, and the steps in between were killed above
        assert jobs().resume() == 1
        assert jobs().show(asked.id).state == "done"
        require_all_open(world, kept)
        for unit in old:
            with pytest.raises(Gone):
                world.tree.key(bytes.fromhex(unit), Use.REENCRYPTION)
    assert deaths > 10
