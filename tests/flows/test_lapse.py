"""What lapses on paper ends where it is enforced, at that moment and without a job; the telling is done once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway_world import due_diligence
from house import House, Person
from register_calls import code, move, opened
from register_forms import record as made
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.record import State, VendorRecord
from troth.governance.forms.reading import shipped
from troth.governance.lapses import badges
from troth.governance.looking import Look
from troth.governance.resting import Duties
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.vault.rights.clocks import calendar_of

EU = calendar_of("eu")
MIDNIGHT = round(EU.end(date(2026, 12, 31)).timestamp() * 1000)  # the last day has ended in the east of the EU too
TRAINING = {"name": "Security", "topic": "security", "material": "obj_1"}


@dataclass(frozen=True)
class At:
    """A clock that stands."""

    ms: int

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ms / 1000, UTC)


def vendor() -> VendorRecord:
    on_file = due_diligence(MIDNIGHT, agreement_ends=MIDNIGHT)
    return VendorRecord(id="acme", kind="openai-compatible", state=State.APPROVED, facts=on_file, requested_by="usr_1")


def test_an_agreement_ends_and_its_route_is_off_with_the_first_moment_of_the_next_day() -> None:
    admissible(vendor(), RequestFacts("eu"), MIDNIGHT - 1)
    with pytest.raises(Unavailable) as refusal:
        admissible(vendor(), RequestFacts("eu"), MIDNIGHT)
    assert refusal.value.code == "agreement-ended"


CERTIFICATE = {
    "standard": "ISO/IEC 27001", "word": "certified", "issuer": "A body", "scope": "All", "document": "obj_1",
    "entered_by": "usr_1", "checked_by": "usr_2", "valid_from": "2026-01-01", "valid_until": "2026-12-31",
}  # fmt: skip


def test_a_certificate_ends_and_its_badge_is_off_at_that_moment() -> None:
    form = shipped()["certificates"]
    shown = made(form, "shown", **CERTIFICATE)
    assert badges(form, [shown], Look(MIDNIGHT - 1, EU)) == (shown,)
    assert badges(form, [shown], Look(MIDNIGHT, EU)) == ()


@pytest.mark.parametrize(
    ("state", "changes"),
    [("entered", {}), ("ended", {}), ("shown", {"checked_by": None}), ("shown", {"checked_by": "usr_1"}),
     ("shown", {"document": None})],
)  # fmt: skip
def test_a_certificate_that_nobody_else_checked_has_no_badge(state: str, changes: dict[str, Any]) -> None:
    form = shipped()["certificates"]
    assert badges(form, [made(form, state, **CERTIFICATE | changes)], Look(MIDNIGHT - 1, EU)) == ()


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("lapse")
    roles = {"second": "owner", "admin": "admin", "officer": "privacy-officer"}
    return {"owner": owner} | {
        name: home.member(owner, f"{name}@lapse.example.org", role) for name, role in roles.items()
    }


@pytest.fixture(scope="module")
def training(home: House, people: dict[str, Person]) -> str:
    """A running training, which the admin owes and the owner, who is not on the list of staff, does not."""
    staff = {"person": "s-late", "account": people["admin"].id, "role": "Engineer", "joined_on": "2026-01-05"}
    opened(home, people["owner"], "staff", **staff)
    place = f"trainings/{opened(home, people['owner'], 'trainings', **TRAINING)}"
    assert move(home, people["second"], place, "start", review_by="2199-01-01").is_success
    return place


@pytest.fixture
def duties(home: House) -> Iterator[Duties]:
    """Where the running service looks; put back afterwards."""
    found: Duties = home.system.dispatcher.decider.decider.duties
    before = found.registers, found.seconds
    yield found
    found.registers, found.seconds = before


def since(duties: Duties, who: Person) -> int:
    with within(SYSTEM):
        found = duties.since(who.tenant, who.id)
    assert found is not None
    return found


def test_access_to_production_rests_from_the_end_of_the_last_day_until_the_training_is_done(
    home: House, people: dict[str, Person], training: str, duties: Duties
) -> None:
    admin, registers = people["admin"], duties.registers
    end = since(duties, admin)
    started = epoch_ms(registers.clock.now())
    assert 29 * 86_400_000 < end - started < 32 * 86_400_000
    day = (datetime.fromtimestamp(end / 1000, UTC) + EU.east).time()
    assert day.isoformat() == "00:00:00"
    duties.registers = replace(registers, clock=At(end - 1))
    assert home.call("GET", "/v1/users", admin.headers).status_code == 200
    duties.registers = replace(registers, clock=At(end))
    assert code(home.call("GET", "/v1/users", admin.headers)) == (403, "duty-overdue")
    assert home.call("GET", "/v1/users", people["owner"].headers).status_code == 200
    for path in ("/v1/me", "/v1/objects", "/v1/registers/trainings"):
        assert home.call("GET", path, admin.headers).status_code == 200, path
    done = home.call("POST", f"/v1/registers/{training}/acts/complete", admin.headers)
    assert done.status_code == 200, done.text
    assert home.call("GET", "/v1/users", admin.headers).status_code == 200
    again = since(duties, admin)
    assert again - end > 300 * 86_400_000
    duties.registers = replace(registers, clock=At(again))
    duties.seconds = 0.0
    assert code(home.call("GET", "/v1/users", admin.headers)) == (403, "duty-overdue")


def test_registers_that_cannot_be_read_open_nothing(
    home: House, people: dict[str, Person], training: str, duties: Duties, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise Unavailable("The registers cannot be read.", code="test")

    assert training
    duties.seconds = 0.0
    monkeypatch.setattr("troth.governance.registers.Registers.counts", broken)
    assert code(home.call("GET", "/v1/users", people["admin"].headers)) == (403, "duties-unknown")
    assert home.call("GET", "/v1/me", people["admin"].headers).status_code == 200


def test_an_operator_is_held_by_the_registers_of_the_house(
    home: House, people: dict[str, Person], training: str, duties: Duties
) -> None:
    me = home.ok("GET", "/v1/me", home.operator)["id"]
    staff = {"person": "s-operator", "account": me, "role": "Operator", "joined_on": "2026-01-05"}
    opened(home, people["owner"], "staff", **staff)
    assert training
    house, duties.seconds = duties.house, 0.0
    try:
        end = since(duties, replace(people["owner"], id=me))
        duties.registers = replace(duties.registers, clock=At(end))
        assert home.call("GET", "/v1/tenants", home.operator).status_code == 200  # no house is named
        duties.house = lambda: people["owner"].tenant
        assert code(home.call("GET", "/v1/tenants", home.operator)) == (403, "duty-overdue")
    finally:
        duties.house = house
