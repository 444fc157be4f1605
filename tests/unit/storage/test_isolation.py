"""The database keeps tenants apart by itself: forged, forgotten and left-over scopes against a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

import troth.wiring
from database_world import APPLICATION, DATABASES, SERVER, Place, administrator, fresh_place, migrated
from troth.gateway.store import receipts
from troth.identity.store import sessions, tenants, users
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.record import Entry, Outcome
from troth.kernel.scope import NOBODY, SYSTEM, Scope, within
from troth.storage.database import Database
from troth.storage.isolation import require_isolated, settle
from troth.storage.outbox import Outbox, outbox

assert troth.wiring  # every table is declared
POSTGRES = [kind for kind in DATABASES if kind != "sqlite"]
pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("kind", POSTGRES, scope="module")]
ANN, BEN = Scope("ten_ann"), Scope("ten_ben")


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Each test begins without a scope, whatever a house that other tests keep open has set in this thread."""
    with within(NOBODY):
        yield


@pytest.fixture(scope="module")
def place(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with fresh_place(kind, tmp_path_factory.mktemp("place")) as place:
        database = migrated(place)
        with database.write(SYSTEM) as connection:
            _fill(connection)
        database.close()
        yield place


def _fill(connection: Connection) -> None:
    for name in ("ann", "ben"):
        tenant, user = f"ten_{name}", f"usr_{name}"
        connection.execute(insert(tenants), {"id": tenant, "name": name, "jurisdiction": "eu", "created_at": 1})
        sealed = dict.fromkeys(("email_index", "email", "display_name", "password"), name.encode())
        person = {"id": user, "tenant": tenant, "password_at": 1, "password_issued": False, "active": True}
        connection.execute(insert(users), {**person, **sealed, "created_at": 1})
        connection.execute(insert(receipts), _receipt(tenant))
        times = dict.fromkeys(("created_at", "verified_at", "seen_at", "expires_at"), 1)
        session = {"id": f"ses_{name}", "user": user, "digest": name.encode(), "method": "x", "zone": "x"}
        connection.execute(insert(sessions), {**session, "assurance": 1, **times})


def _receipt(tenant: str, request: str = "req_1") -> dict[str, object]:
    texts = dict.fromkeys(("object", "vendor", "model", "outcome", "objects"), "x")
    return {"tenant": tenant, "request": request, "sent_at": 9, **texts}


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    database = Database(place.url, pool_size=1)  # one connection, so that whatever it kept would be met
    yield database
    database.close()


@pytest.fixture
def raw(place: Place) -> Iterator[Engine]:
    """The application's role, and a person who can run any SQL with it."""
    engine = create_engine(place.url)
    yield engine
    engine.dispose()


def _seen(connection: Connection) -> tuple[list[str], list[str], list[str]]:
    found = (select(tenants.c.id), select(receipts.c.tenant), select(sessions.c.id))
    return tuple(sorted(connection.execute(one).scalars()) for one in found)  # type: ignore[return-value]


NOTHING: tuple[list[str], ...] = ([], [], [])
OF_ANN = (["ten_ann"], ["ten_ann"], ["ses_ann"])
EVERYTHING = (["ten_ann", "ten_ben"], ["ten_ann", "ten_ben"], ["ses_ann", "ses_ben"])


def test_a_forgotten_scope_sees_nothing(database: Database) -> None:
    with database.read() as connection:
        assert _seen(connection) == NOTHING


def test_a_tenant_sees_its_own_and_the_system_all(database: Database) -> None:
    with within(ANN), database.read() as connection:
        assert _seen(connection) == OF_ANN
    with database.read(SYSTEM) as connection:
        assert _seen(connection) == EVERYTHING


def test_nothing_is_left_on_a_pooled_connection(database: Database, place: Place) -> None:
    for scope in (ANN, SYSTEM):
        with database.write(scope) as connection:
            assert _seen(connection) != NOTHING
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with pytest.raises(ZeroDivisionError), database.write(scope) as connection:
            raise ZeroDivisionError
        with database.read() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == process
            assert _seen(connection) == NOTHING
        with database.engine.connect() as connection:  # past both doors
            assert _seen(connection) == NOTHING
    with database.read(ANN) as connection:  # a second transaction of one use keeps the scope
        connection.rollback()
        assert _seen(connection) == OF_ANN
    assert place.url.count(APPLICATION) == 1


def test_a_row_for_another_tenant_is_refused(database: Database) -> None:
    with within(ANN):
        with pytest.raises(ProgrammingError, match="row-level security"), database.write() as connection:
            connection.execute(insert(receipts), _receipt("ten_ben", "req_2"))
        with pytest.raises(ProgrammingError, match="row-level security"), database.write() as connection:
            connection.execute(update(receipts).values(tenant="ten_ben"))
        with database.write() as connection:
            changed = connection.execute(update(receipts).where(receipts.c.tenant == "ten_ben").values(sent_at=1))
            assert changed.rowcount == 0
            moved = connection.execute(update(sessions).where(sessions.c.id == "ses_ben").values(seen_at=2))
            assert moved.rowcount == 0


def test_a_forged_tenant_reaches_that_one_tenant_for_one_transaction(raw: Engine) -> None:
    with raw.connect() as connection:
        assert _seen(connection) == NOTHING
        connection.execute(text("SET LOCAL troth.tenant = 'ten_ben'"))
        assert _seen(connection) == (["ten_ben"], ["ten_ben"], ["ses_ben"])
        for strange in ("", "*", "%", "ten_ann' OR true --", "NULL", "ten_ann,ten_ben"):
            connection.execute(text("SELECT set_config('troth.tenant', :value, true)"), {"value": strange})
            assert _seen(connection) == NOTHING
        connection.commit()
        assert _seen(connection) == NOTHING


@pytest.mark.parametrize(
    "attempt",
    [
        "ALTER TABLE tenants DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY troth_tenant ON tenants",
        "CREATE POLICY mine ON tenants USING (true)",
        "SET ROLE troth_owner",
        "ALTER ROLE troth_app BYPASSRLS",
        "CREATE TABLE copied AS SELECT * FROM tenants",
        "TRUNCATE tenants CASCADE",
        "UPDATE alembic_version SET version_num = version_num; DROP TABLE alembic_version",
    ],
)
def test_the_application_cannot_lift_the_wall(raw: Engine, attempt: str) -> None:
    with pytest.raises(ProgrammingError), raw.begin() as connection:
        connection.execute(text(attempt))
    with raw.connect() as connection:  # and asking for no policies is an error, not all rows
        connection.execute(text("SET LOCAL row_security = off"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            _seen(connection)


def test_the_owner_is_held_by_force_and_only_a_superuser_passes(place: Place) -> None:
    owner = create_engine(place.owner)
    with owner.connect() as connection:
        assert _seen(connection) == NOTHING
    owner.dispose()
    with administrator() as connection:
        path = place.url.partition("search_path%3D")[2]
        connection.execute(text(f"SET search_path = {path}"))
        assert _seen(connection) == EVERYTHING


def test_an_id_that_is_none_never_reaches_the_server(database: Database) -> None:
    with pytest.raises(IntegrityError), database.read(Scope("x'; SET troth.system = 'on")) as connection:
        _seen(connection)
    with database.read() as connection:
        assert _seen(connection) == NOTHING


def test_threads_begin_without_a_scope_and_tasks_keep_theirs(database: Database) -> None:
    seen: list[object] = []

    def look() -> None:
        with database.read() as connection:
            seen.append(_seen(connection))

    with within(ANN):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        asyncio.run(asyncio.to_thread(look))
    assert seen == [NOTHING, OF_ANN]


def test_one_commit_of_several_tenants_keeps_each_in_its_own(database: Database) -> None:
    changed: dict[str, int] = {}

    def change(connection: Connection) -> None:
        changed[threading.current_thread().name] = connection.execute(update(receipts).values(sent_at=7)).rowcount

    box = Outbox(database)
    try:
        with within(ANN):
            box.record(_entry("ten_ann"), [change])
        box.record(_entry("ten_ann"))
        with within(NOBODY):
            box.record(_entry("ten_ben"), [change])
    finally:
        box.close()
    assert changed == {"outbox": 0}  # the last one: who had no scope changed nothing
    with database.read(SYSTEM) as connection:
        sent = dict(connection.execute(select(receipts.c.tenant, receipts.c.sent_at)).all())  # type: ignore[arg-type]
        logs = sorted(connection.execute(select(outbox.c.log)).scalars())
    assert sent == {"ten_ann": 7, "ten_ben": 9}
    assert logs == ["ten_ann", "ten_ann", "ten_ben"]


def _entry(tenant: str) -> Entry:
    return Entry(tenant, "object.show", "closed", Outcome.DONE, "req_1", "usr_a", tenant, 1)


def test_a_role_that_is_too_strong_is_refused(place: Place) -> None:
    owner = Database(place.owner)
    with pytest.raises(Unavailable) as refusal:
        require_isolated(owner)
    assert refusal.value.code == "role-too-strong"
    settle(owner, single_role=True)  # said on purpose
    owner.close()
    superuser = Database(f"{SERVER}?options={place.url.partition('options=')[2]}")
    with pytest.raises(Unavailable, match="superuser"):
        require_isolated(superuser)
    superuser.close()


def test_a_table_without_its_policy_is_refused_until_the_owner_mends_it(place: Place, database: Database) -> None:
    owner = create_engine(place.owner)
    with owner.begin() as connection:
        connection.execute(text("DROP POLICY troth_tenant ON vault_object"))
    owner.dispose()
    with pytest.raises(Unavailable) as refusal:
        settle(database)
    assert refusal.value.code == "rows-not-isolated"
    settle(database, owner_url=place.owner)


def test_an_empty_database_needs_its_owner(kind: str, tmp_path: Path) -> None:
    with fresh_place(kind, tmp_path) as empty:
        database = Database(empty.url)
        with pytest.raises((Unavailable, ProgrammingError)):
            settle(database)
        settle(database, owner_url=empty.owner)
        settle(database)
        database.close()
