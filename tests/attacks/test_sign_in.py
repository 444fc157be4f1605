"""Attacks on becoming somebody: guessing, enumeration, replay, stolen and weak credentials, climbing, other tenants."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Table

from troth.access.policy import CedarDecider
from troth.identity import store
from troth.identity.governing import store as governing
from troth.identity.key_operations import ApiKeyOperations
from troth.identity.keys import SCOPES, NewKey
from troth.identity.operations import IdentityOperations
from troth.identity.passwords import OWASP_19_MIB, Passwords
from troth.identity.people_operations import PeopleOperations
from troth.identity.sign_in import Credentials, SignIn
from troth.identity.users import NewUser, Users
from troth.kernel.caller import Caller, Connection, Device, anonymous
from troth.kernel.errors import Denied, NotFound, TooMany, TrothError, Unauthenticated
from troth.kernel.operation import Group, Operation, declarations
from troth.storage.database import Database, metadata
from unit.identity.world import BLOCKED, TLS, Person, World

OPERATIONS = [
    Operation(declaration, print)
    for owner in (IdentityOperations, ApiKeyOperations, PeopleOperations)
    for _, declaration in declarations(owner)
]
DECIDER = CedarDecider(OPERATIONS)
OPEN = (Group.PUBLIC, Group.SIGN_IN)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'troth.db'}")
    rooms = (store, governing)
    metadata.create_all(
        database.engine, [one for room in rooms for one in vars(room).values() if isinstance(one, Table)]
    )
    yield World(database)
    database.close()


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant().id, "member", email="ada@example.org")


def allowed(caller: Caller) -> set[str]:
    """The operations of identity that the policy grants to a caller on a device of theirs."""
    there = replace(caller, device=Device("dpop", "aa"))
    return {one.name for one in OPERATIONS if DECIDER.decide(there, one).allowed}


def seen_by(world: World, person: Person, **changes: str | None) -> tuple[str, str]:
    """Code and sentence of a refused sign-in."""
    with pytest.raises(TrothError) as refusal:
        world.sign_in(person, **changes)
    return refusal.value.code, refusal.value.advice


def test_a_stranger_learns_nothing_from_the_answers(world: World, ada: Person) -> None:
    """Whether the address exists, the password is right, the account is disabled or has a factor: one answer."""
    fresh = world.person(ada.tenant, email="fresh@example.org")
    gone = world.settled(ada.tenant, "member", email="gone@example.org")
    owner = world.caller(world.settled(ada.tenant, "owner"))
    world.users.disable(owner, gone.id)
    answers = {
        seen_by(world, ada, email="nobody@example.org"),
        seen_by(world, ada, password="wrong wrong wrong"),
        seen_by(world, ada, code="000000"),
        seen_by(world, ada, code=None),
        seen_by(world, ada, code="not a code"),
        seen_by(world, ada, code=None, recovery_code="aaaa-bbbb-cccc-dddd"),
        seen_by(world, fresh, password="wrong wrong wrong"),
        seen_by(world, gone),
    }
    assert len(answers) == 1
    assert answers.pop()[0] == "sign-in-failed"


def test_a_stranger_learns_nothing_from_the_clock(world: World) -> None:
    """At the real cost of argon2id, nobody and a wrong password take the same time within a third."""
    passwords = Passwords(OWASP_19_MIB, BLOCKED)
    people = Users(world.database, world.fields, passwords, world.clock)
    people.create(NewUser(world.tenant().id, "ada@example.org", "Ada", frozenset(), "usr_x"))
    sign_in = replace(world.signing_in, users=people, passwords=passwords)

    def milliseconds(email: str) -> float:
        before = time.thread_time()
        with pytest.raises(Unauthenticated):
            sign_in.sign_in(Credentials(email, "wrong wrong wrong"), Connection("TLSv1.3", "public"), "req_1")
        return (time.thread_time() - before) * 1000

    milliseconds("warm@example.org")
    known, unknown = [], []
    for n in range(5):
        known.append(milliseconds("ada@example.org"))
        unknown.append(milliseconds(f"nobody{n}@example.org"))
    ratio = statistics.median(known) / statistics.median(unknown)
    assert 0.67 < ratio < 1.5
    assert isinstance(sign_in, SignIn)


def test_unknown_addresses_are_throttled_like_known_ones(world: World, ada: Person) -> None:
    def tries(email: str) -> int:
        for count in range(50):
            try:
                world.sign_in(ada, email=email, password="wrong wrong wrong", code=None)
            except TooMany:
                return count
            except Unauthenticated:
                continue
        return 50

    assert tries("ada@example.org") == tries("nobody@example.org") == 6


def test_guessing_does_not_lock_the_owner_out(world: World, ada: Person) -> None:
    ada.device = world.sign_in(ada).device
    for _ in range(400):
        with pytest.raises((Unauthenticated, TooMany)):
            world.sign_in(ada, password="wrong wrong wrong", device=None)
    with pytest.raises(TooMany):
        world.sign_in(ada, device=None, code=world.code(ada))
    assert world.sign_in(ada).proof.assurance == 2


def test_a_device_of_somebody_else_passes_no_throttle(world: World, ada: Person) -> None:
    eve = world.settled(ada.tenant, "member")
    device = world.sign_in(eve).device
    for _ in range(6):
        with pytest.raises(Unauthenticated):
            world.sign_in(ada, password="wrong wrong wrong", code=None, device=device)
    with pytest.raises(TooMany):
        world.sign_in(ada, password="wrong wrong wrong", code=None, device=device)


def test_a_known_device_guesses_no_faster(world: World, ada: Person) -> None:
    ada.device = world.sign_in(ada).device
    for _ in range(6):
        with pytest.raises(Unauthenticated):
            world.sign_in(ada, password="wrong wrong wrong", code=None)
    with pytest.raises(TooMany):
        world.sign_in(ada, code=world.code(ada))


def test_many_guesses_at_once_are_all_counted(world: World, ada: Person) -> None:
    def guess(n: int) -> type[TrothError]:
        try:
            world.sign_in(ada, password=f"wrong wrong {n}", code="000000")
        except TrothError as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(40)))
    assert outcomes.count(Unauthenticated) == 6
    assert outcomes.count(TooMany) == 34


def test_who_has_the_password_cannot_guess_codes(world: World, ada: Person) -> None:
    """A million codes, three of them valid: a day of guessing must stay hopeless."""
    judged = 0
    for step in range(24 * 60):
        try:
            world.sign_in(ada, code=f"{step:06}")
        except Unauthenticated:
            judged += 1
        except TooMany:
            world.clock.forward(minutes=1)
    assert judged < 100


def test_one_code_opens_one_session_however_many_ask_at_once(world: World, ada: Person) -> None:
    code = world.code(ada)

    def attempt(_: int) -> str:
        try:
            world.sign_in(ada, code=code)
        except TrothError as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(5)))
    assert outcomes.count("in") == 1
    assert outcomes.count("totp-replayed") == 4


def test_a_replayed_code_is_told_only_to_who_has_the_password(world: World, ada: Person) -> None:
    code = world.code(ada)
    world.sign_in(ada, code=code)
    assert seen_by(world, ada, code=code)[0] == "totp-replayed"
    assert seen_by(world, ada, code=code, password="wrong wrong wrong")[0] == "sign-in-failed"


def test_a_password_only_session_reaches_its_account_and_nothing_else(world: World) -> None:
    caller = world.caller(world.person(world.tenant().id, "owner", "member"))
    own = {one.name for one in OPERATIONS if one.declaration.group is Group.OWN_ACCOUNT}
    assert allowed(caller) == own | {"session.create"}


def test_a_stolen_key_cannot_make_keys_or_touch_the_account(world: World, ada: Person) -> None:
    owner = world.settled(ada.tenant, "owner", "admin", "member")
    key = world.keys.create(NewKey(owner.tenant, owner.id, "n", SCOPES))
    caller = world.keys.authenticate(key.token, TLS)
    assert allowed(caller) == {"session.create"}
    for act in (
        lambda: world.own.enrol(caller, None),
        lambda: world.own.change_password(caller, owner.password, "a fine new passphrase"),
        lambda: world.own.step_up(caller, world.code(owner)),
    ):
        with pytest.raises(Unauthenticated):
            act()


@pytest.mark.parametrize("zone", ["loopback", "private", "public", "unknown", "in-process"])
def test_no_place_in_the_network_is_an_identity(zone: str) -> None:
    for tls in (None, "TLSv1.2", "TLSv1.3"):
        reached = allowed(anonymous(Connection(tls, zone)))
        assert reached <= {"session.create"}
        assert ("session.create" in reached) == (tls == "TLSv1.3" or zone == "in-process")


@pytest.mark.parametrize("tls", [None, "TLSv1.2", "TLSv1.1", "SSLv3", ""])
def test_a_good_session_over_a_bad_channel_reaches_nothing(world: World, ada: Person, tls: str | None) -> None:
    token = world.sign_in(ada).session.token
    assert allowed(world.sessions.authenticate(token, Connection(tls, "loopback"))) == set()


def test_leaving_ends_everything_with_the_next_request(world: World, ada: Person) -> None:
    owner = world.caller(world.settled(ada.tenant, "owner"))
    session = world.sign_in(ada).session.token
    key = world.keys.create(NewKey(ada.tenant, ada.id, "n", SCOPES)).token
    assert "key.create" in allowed(world.sessions.authenticate(session, TLS))
    world.roles.remove(owner, ada.id, "member")
    assert "key.create" not in allowed(world.sessions.authenticate(session, TLS))
    world.users.disable(owner, ada.id)
    for authenticate, token in ((world.sessions.authenticate, session), (world.keys.authenticate, key)):
        with pytest.raises(Unauthenticated):
            authenticate(token, TLS)


def test_nobody_climbs(world: World) -> None:
    tenant = world.tenant().id
    admin, helper = world.settled(tenant, "admin"), world.person(tenant)
    world.person(tenant, "owner")
    by = world.caller(admin)
    for role in ("owner", "privacy-officer"):
        for target in (admin.id, helper.id):
            with pytest.raises(Denied):
                world.roles.assign(by, target, role)
    assert {grant.role for grant in world.roles.of(admin.id)} == {"admin"}
    assert world.roles.of(helper.id) == []


def test_another_tenants_person_looks_like_nobody(world: World, ada: Person) -> None:
    foreign = world.caller(world.settled(world.tenant().id, "owner"))
    answers = set()
    for target in (ada.id, "usr_nobody"):
        for act in (
            lambda: world.users.disable(foreign, target),  # noqa: B023
            lambda: world.roles.assign(foreign, target, "member"),  # noqa: B023
            lambda: world.roles.remove(foreign, target, "member"),  # noqa: B023
        ):
            with pytest.raises(NotFound) as refusal:
                act()
            answers.add((refusal.value.code, refusal.value.advice))
    assert len(answers) == 1
    assert allowed(world.caller(ada)) >= {"key.list"}


@pytest.mark.parametrize("text", ["' OR 1=1 --", "x'; DROP TABLE users; --", "%", "\0", "ses_' OR '1'='1"])
def test_texts_are_never_sql(world: World, ada: Person, text: str) -> None:
    for act in (
        lambda: world.sessions.authenticate(text, TLS),
        lambda: world.keys.authenticate(f"troth_sk_{text}", TLS),
        lambda: world.sessions.revoke(ada.id, text),
        lambda: world.keys.revoke(ada.id, text),
        lambda: world.sign_in(ada, password=text),
        lambda: world.sign_in(ada, email=f"{text}@example.org"),
        lambda: world.sign_in(ada, code=text),
    ):
        with pytest.raises(TrothError):
            act()
    world.sign_in(ada)
