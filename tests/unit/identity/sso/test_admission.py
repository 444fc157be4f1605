"""Who comes in by a provider's word, to which account, with which roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sso_world import ASKING, SsoWorld, sso_world
from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import STALE_MS, Word
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.rights import STEP_UP_SECONDS
from troth.identity.sso.rules import Rules
from troth.identity.sso.subjects import Subject
from troth.kernel.caller import Origin
from troth.kernel.details import Owner, SealedDetails
from troth.kernel.errors import Conflict, Denied, Gone, IntegrityError, NotFound, TrothError
from unit.identity.world import TLS
from worlds import PlainSealer, person

ADA = "ada@acme.example.org"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SsoWorld]:
    with sso_world(tmp_path) as made:
        yield made


@pytest.fixture
def connection(home: SsoWorld) -> SsoConnection:
    return home.connect(home.world.tenant().id, "https://idp.example.org")


def admitted(home: SsoWorld, connection: SsoConnection, subject: str = "ada", **changes: Any) -> SignedIn:
    given: dict[str, Any] = {"email": ADA, "name": "Ada", "attributes": {"groups": ["x"]}}
    return home.admission.admit(connection, Word(**{"subject": Subject(subject), **given, **changes}), ASKING)


def refused(home: SsoWorld, connection: SsoConnection, **changes: Any) -> str:
    with pytest.raises(TrothError) as refusal:
        admitted(home, connection, **changes)
    last = home.world.recorder.entries[-1]
    assert (last.operation, last.code, last.log) == ("session.refused", refusal.value.code, connection.tenant)
    return refusal.value.code


def verified(home: SsoWorld, connection: SsoConnection) -> SsoConnection:
    return home.connections.verify_domain(connection.id, "acme.example.org")


def roles(home: SsoWorld, user: str) -> set[str]:
    return {one.role for one in home.world.roles.of(user)}


def test_an_account_is_made_once(home: SsoWorld, connection: SsoConnection) -> None:
    first, second = admitted(home, connection), admitted(home, connection, email=None)
    assert first.user == second.user
    assert first.missing == ("totp",)
    assert admitted(home, connection, levels=["mfa"]).missing == ()
    assert home.world.users.get(first.user).email == ADA
    operations = [one.operation for one in home.world.recorder.entries]
    assert operations.count("sso.account-made") == 1
    assert operations.count("session.opened") == 3


def test_from_where_it_came_is_sealed_before_the_session_is_written(
    home: SsoWorld, connection: SsoConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation the first seal makes a key, in a transaction of its own: nobody could sign in any more."""
    seal = PlainSealer.seal

    def made(self: PlainSealer, owner: Owner, details: Mapping[str, str]) -> SealedDetails | None:
        with home.world.database.write():
            return seal(self, owner, details)

    monkeypatch.setattr(PlainSealer, "seal", made)
    asking = replace(ASKING, channel=replace(TLS, origin=Origin(door="https", address="192.0.2.7")))
    word = Word(subject=Subject("ada"), email=ADA, name="Ada", attributes={"groups": ["x"]})
    ada = home.admission.admit(connection, word, asking)
    last = home.world.recorder.entries[-1]
    assert (last.operation, last.facts["session"]) == ("session.opened", ada.session.id)
    assert last.sealed is not None
    assert b"192.0.2.7" in last.sealed.content


def test_an_address_never_links_by_itself(home: SsoWorld, connection: SsoConnection) -> None:
    there = home.world.person(connection.tenant, "member", email=ADA)
    assert refused(home, connection) == "sso-link-waits"
    assert refused(home, connection) == "sso-link-waits"
    (link,) = home.world.links.of_tenant(connection.tenant)
    owner = person("owner", tenant=connection.tenant)
    home.world.links.confirm(owner, link.id)
    assert admitted(home, connection).user == there.id


def nobodys(home: SsoWorld, connection: SsoConnection) -> str:
    """An account of Ada that nobody ever had a way into, as a connection that is gone leaves it."""
    with_it = home.connect(connection.tenant, "https://gone.example.org")
    user = admitted(home, with_it).user
    home.connections.delete(connection.tenant, with_it.id)
    return user


def test_a_verified_domain_links_an_account_that_nobody_had(home: SsoWorld, connection: SsoConnection) -> None:
    there = nobodys(home, connection)
    assert admitted(home, verified(home, connection)).user == there


@pytest.mark.parametrize("settled", [False, True])
def test_a_verified_domain_does_not_link_what_somebody_has_a_way_into(
    home: SsoWorld, connection: SsoConnection, settled: bool
) -> None:
    """Who issued the password, or wrote a colleague's address into their own account, would have their roles."""
    make = home.world.settled if settled else home.world.person
    make(connection.tenant, "member", email=ADA)
    assert refused(home, verified(home, connection)) == "sso-link-waits"


def test_a_second_subject_does_not_open_an_account_by_its_address(home: SsoWorld, connection: SsoConnection) -> None:
    admitted(home, verified(home, connection))
    assert refused(home, verified(home, connection), subject="eve") == "sso-link-waits"


@pytest.mark.parametrize("trusted", [False, True])
def test_an_address_by_saml_vouches_only_if_the_connection_says_so(
    home: SsoWorld, connection: SsoConnection, trusted: bool
) -> None:
    user, here = nobodys(home, connection), verified(home, connection)
    saml = replace(here, kind="saml", rules=here.rules.model_copy(update={"email_trusted": trusted}))
    if trusted:
        assert admitted(home, saml).user == user
    else:
        assert refused(home, saml) == "sso-link-waits"


def test_accounts_are_made_in_domains_that_this_tenant_verified(home: SsoWorld) -> None:
    mine, other = (home.connect(home.world.tenant().id, f"https://{one}.example.org", verified=False) for one in "ab")
    assert refused(home, mine) == "sso-domain"
    verified(home, other)
    assert refused(home, mine) == "sso-domain"  # it is another organisation's
    second = home.connect(other.tenant, "https://c.example.org", verified=False)
    assert admitted(home, second).tenant == other.tenant  # whichever connection of the tenant it was verified for


def test_a_session_is_as_fresh_as_the_provider_says(home: SsoWorld, connection: SsoConnection) -> None:
    now = int(home.world.clock.now().timestamp() * 1000)

    def age(**said: int) -> int:
        session = admitted(home, connection, **said).session
        return home.world.sessions.authenticate(session.token, TLS).authentication.age_seconds

    assert age(seen_at=now - 300_000) == 300
    assert age(seen_at=now + 20_000) == 0
    assert age() == age(seen_at=now - 10 * STALE_MS) == STALE_MS // 1000  # unknown, or long ago: fresh for nothing
    assert STALE_MS // 1000 > STEP_UP_SECONDS


@pytest.mark.parametrize("claims", [{}, {"hd": ["other.example.org"]}, {"hd": []}])
def test_a_person_has_every_claim_that_is_required(home: SsoWorld, claims: dict[str, list[str]]) -> None:
    required = {"hd": ("acme.example.org", "acme.example.net"), "email_verified": ("true",)}
    strict = home.connect(home.world.tenant().id, "https://idp.example.org", rules=Rules(required=required))
    honest = {"hd": ["acme.example.org"], "email_verified": ["true"]}
    assert refused(home, strict, attributes={"email_verified": ["true"], **claims}) == "sso-claims"
    assert refused(home, strict, attributes=honest | {"email_verified": ["false"]}) == "sso-claims"
    assert admitted(home, strict, attributes=honest).user
    assert refused(home, strict, attributes=honest | claims | ({} if claims else {"hd": ["x"]})) == "sso-claims"


@pytest.mark.parametrize("role", ["owner", "privacy-officer"])
def test_a_verified_domain_does_not_link_who_decides(home: SsoWorld, connection: SsoConnection, role: str) -> None:
    home.world.person(connection.tenant, role, email=ADA)
    assert refused(home, verified(home, connection)) == "sso-link-waits"


def test_an_owners_link_is_that_owners_to_confirm(home: SsoWorld, connection: SsoConnection) -> None:
    there = home.world.person(connection.tenant, "owner", email=ADA)
    refused(home, connection)
    (link,) = home.world.links.of_tenant(connection.tenant)
    for by in (person("owner", tenant=connection.tenant), person("admin", tenant=connection.tenant)):
        with pytest.raises(Denied):
            home.world.links.confirm(by, link.id)
    with pytest.raises(NotFound):
        home.world.links.confirm(person("owner", tenant="ten_other", actor=there.id), link.id)
    home.world.links.confirm(person("owner", tenant=connection.tenant, actor=there.id), link.id)
    assert admitted(home, connection).user == there.id


def test_an_account_of_another_tenant_is_nobodys_business(home: SsoWorld, connection: SsoConnection) -> None:
    home.world.person(home.world.tenant("Other").id, "member", email=ADA)
    assert refused(home, verified(home, connection)) == "sso-no-account"


def test_without_just_in_time_nobody_is_made(home: SsoWorld, connection: SsoConnection) -> None:
    strict = home.connect(connection.tenant, "https://idp.example.org", just_in_time=False)
    assert refused(home, strict) == "sso-no-account"


def test_a_disabled_account_stays_out(home: SsoWorld, connection: SsoConnection) -> None:
    user = admitted(home, connection).user
    home.world.users.disable(person("admin", "owner", tenant=connection.tenant), user)
    assert refused(home, connection) == "sso-disabled"
    assert home.world.sessions.list(user) == []


def test_roles_follow_the_provider_and_leave_what_people_gave(home: SsoWorld, connection: SsoConnection) -> None:
    user = admitted(home, connection).user
    assert roles(home, user) == {"member"}
    home.world.roles.assign(person("owner", tenant=connection.tenant), user, "auditor")
    admitted(home, connection, attributes={"groups": ["y"]})
    assert roles(home, user) == {"auditor"}


def test_a_removed_link_ends_what_it_opened(home: SsoWorld, connection: SsoConnection) -> None:
    user = admitted(home, connection).user
    (link,) = home.world.links.of_tenant(connection.tenant)
    assert home.world.links.remove(person("admin", tenant=connection.tenant), link.id) == 1
    assert home.world.sessions.list(user) == []


def test_only_an_owner_takes_away_the_link_of_who_decides(home: SsoWorld, connection: SsoConnection) -> None:
    """Else an admin frees an officer's subject, to have it for an account of their own."""
    officer = home.world.settled(connection.tenant, "privacy-officer", email=ADA)
    user, mine = officer.id, home.world.caller(officer)
    link = home.world.links.link(mine, connection, user, Subject("ada"))
    admitted(home, connection)
    with pytest.raises(Denied) as refusal:
        home.world.links.remove(person("admin", tenant=connection.tenant), link.id)
    assert refusal.value.code == "link-not-yours"
    assert home.world.links.remove(person("owner", tenant=connection.tenant), link.id) == 1


def test_a_person_is_shown_and_forgotten_with_their_links(home: SsoWorld, connection: SsoConnection) -> None:
    user = admitted(home, connection).user
    shown = [one.content for one in home.world.holder.holdings(connection.tenant, user) if one.kind == "sign-on-link"]
    assert [(one["subject"], one["provider"]) for one in shown] == [("ada", "Acme's directory")]
    home.world.holder.forget(connection.tenant, user)
    assert home.world.links.of_tenant(connection.tenant) == []
    home.world.holder.close(connection.tenant)
    assert home.connections.of_tenant(connection.tenant) == []


def test_a_secret_belongs_to_its_issuer(home: SsoWorld, connection: SsoConnection) -> None:
    assert home.connections.secret(connection) == "a secret of the client"
    other = home.connect(connection.tenant, "https://other.example.org", secret=None)
    with pytest.raises(IntegrityError):
        home.connections.secret(replace(other, sealed_secret=connection.sealed_secret))
    home.world.fields.destroy(connection.tenant, "svc_sign_on")
    with pytest.raises(Gone):
        home.connections.secret(connection)


def test_a_domain_leads_to_one_connection(home: SsoWorld) -> None:
    connection = home.connect(home.world.tenant().id, "https://idp.example.org", verified=False)
    assert home.connections.of_address(ADA) is None
    verified(home, connection)
    found = home.connections.of_address(ADA)
    assert found is not None
    assert found.id == connection.id
    other = home.connect(home.world.tenant("Other").id, "https://idp.example.org")
    with pytest.raises(Conflict):
        home.connections.verify_domain(other.id, "acme.example.org")
    with pytest.raises(NotFound):
        home.connections.verify_domain(other.id, "else.example.org")
