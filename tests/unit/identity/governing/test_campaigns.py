"""Reviews of access: others decide, what nobody keeps lapses, the last owner stays with an alarm."""

from __future__ import annotations

import pytest

from troth.identity.governing.campaigns import KEEP, REMOVE, Campaign, digest_of
from troth.kernel.errors import Conflict, Denied, NotFound
from unit.identity.governing.office import Office


def begun(office: Office) -> Campaign:
    return office.campaigns.open(office.tenant, office.owner.id)


def judged(office: Office, campaign: Campaign, user: str, role: str, verdict: str, by: str = "") -> str | None:
    which = (campaign.id, user, role)
    item = office.campaigns.judge(office.tenant, by or office.owner.id, which, verdict, "checked")
    return item.outcome


def outcomes(office: Office, campaign: Campaign) -> dict[tuple[str, str], str | None]:
    return {(one.user, one.role): one.outcome for one in office.campaigns.show(office.tenant, campaign.id)[1]}


def test_the_population_is_what_is_held_with_a_digest_over_it(office: Office) -> None:
    gone = office.world.person(office.tenant, "member")
    office.world.users.disable(office.as_(office.owner), gone.id)
    elsewhere = office.world.person(office.world.tenant().id, "member")
    campaign = begun(office)
    _, items = office.campaigns.show(office.tenant, campaign.id)
    assert {(one.user, one.role) for one in items} == {(office.owner.id, "owner"), (office.ada.id, "member")}
    assert elsewhere.id not in {one.user for one in items}
    assert campaign.digest == digest_of(office.having.of(office.tenant))
    opened = office.said("access-review.opened")[0].facts
    assert (opened["digest"], opened["count"]) == (campaign.digest, 2)
    with pytest.raises(Conflict) as refusal:
        begun(office)
    assert refusal.value.code == "review-open"


def test_a_reviewer_keeps_and_removes_but_never_their_own(office: Office) -> None:
    bob = office.world.person(office.tenant, "admin")
    campaign = begun(office)
    assert judged(office, campaign, office.ada.id, "member", KEEP) == "kept"
    assert judged(office, campaign, bob.id, "admin", REMOVE) == "removed"
    assert (office.roles(office.ada), office.roles(bob)) == ({"member"}, set())
    assert [(one.facts["user"], one.facts["state"]) for one in office.said("role.lapsed")] == [(bob.id, "removed")]
    with pytest.raises(Denied) as refusal:
        judged(office, campaign, office.owner.id, "owner", KEEP)
    assert refusal.value.code == "own-grant"
    for user, role, code in ((office.ada.id, "member", "judged"), (office.ada.id, "owner", "grant-not-found")):
        with pytest.raises((Conflict, NotFound)) as other:
            judged(office, campaign, user, role, KEEP)
        assert other.value.code == code


def test_what_nobody_kept_lapses_when_due_and_the_last_owner_stays(office: Office) -> None:
    bob = office.world.person(office.tenant, "admin")
    campaign = begun(office)
    judged(office, campaign, bob.id, "admin", KEEP)
    office.world.clock.forward(days=13)
    assert office.campaigns.run() == 0
    office.world.clock.forward(days=1)
    assert office.campaigns.run() == 1
    assert outcomes(office, campaign) == {
        (bob.id, "admin"): "kept",
        (office.ada.id, "member"): "lapsed",
        (office.owner.id, "owner"): "last-owner",
    }
    assert (office.roles(office.ada), office.roles(office.owner)) == (set(), {"owner"})
    assert [(one.code, one.facts["user"]) for one in office.said("access-review.alarm")] == [
        ("last-owner", office.owner.id)
    ]
    closed = office.said("access-review.closed")[0]
    assert (closed.actor, closed.facts["counts"]) == ("svc_access", {"kept": 1, "lapsed": 1, "last-owner": 1})
    with pytest.raises(Conflict) as refusal:
        judged(office, campaign, office.ada.id, "member", KEEP)
    assert refusal.value.code == "review-closed"


def test_of_two_owners_whom_nobody_reviewed_the_older_one_stays(office: Office) -> None:
    second = office.world.person(office.tenant, "owner")
    begun(office)
    office.world.clock.forward(days=14)
    office.campaigns.run()
    assert (office.roles(office.owner), office.roles(second)) == ({"owner"}, set())


def test_what_changed_since_is_not_taken(office: Office) -> None:
    bob, cal = (office.world.person(office.tenant, "member") for _ in range(2))
    campaign = begun(office)
    office.world.clock.forward(days=1)
    owner = office.as_(office.owner)
    office.world.roles.assign(owner, bob.id, "member")
    office.world.roles.remove(owner, cal.id, "member")
    office.world.clock.forward(days=13)
    office.campaigns.run()
    found = outcomes(office, campaign)
    assert (found[bob.id, "member"], found[cal.id, "member"]) == ("renewed", "ended")
    assert office.roles(bob) == {"member"}


def test_it_is_closed_when_all_is_judged(office: Office) -> None:
    second = office.world.person(office.tenant, "owner")
    campaign = begun(office)
    judged(office, campaign, office.ada.id, "member", KEEP)
    judged(office, campaign, second.id, "owner", KEEP)
    with pytest.raises(Conflict) as refusal:
        office.campaigns.close(office.tenant, office.owner.id, campaign.id)
    assert refusal.value.code == "not-judged"
    judged(office, campaign, office.owner.id, "owner", KEEP, by=second.id)
    assert office.campaigns.close(office.tenant, office.owner.id, campaign.id).state == "closed"
    assert office.campaigns.all_of(office.tenant)[0][1] == {"kept": 3}


def test_a_quarter_after_the_last_one_the_next_begins(office: Office) -> None:
    spared = office.world.tenant().id
    office.world.person(spared, "member")
    office.spared.add(spared)
    office.world.clock.forward(days=90)
    assert office.campaigns.run() == 0
    office.world.clock.forward(days=1)
    assert office.campaigns.run() == 1
    assert office.campaigns.all_of(spared) == []
    office.world.clock.forward(days=14)
    assert office.campaigns.run() == 1  # closes it
    assert office.campaigns.run() == 0
    office.world.clock.forward(days=77)
    assert office.campaigns.run() == 1
    assert [one.state for one, _ in office.campaigns.all_of(office.tenant)] == ["open", "closed"]


def test_the_last_owner_is_not_removed_by_a_verdict(office: Office) -> None:
    reviewer, campaign = office.world.person(office.tenant, "member"), begun(office)
    with pytest.raises(Conflict) as refusal:
        judged(office, campaign, office.owner.id, "owner", REMOVE, by=reviewer.id)
    assert refusal.value.code == "last-owner"
    assert outcomes(office, campaign)[office.owner.id, "owner"] is None


def test_another_tenant_sees_none_of_it(office: Office) -> None:
    campaign, tenant = begun(office), office.world.tenant().id
    assert office.campaigns.all_of(tenant) == []
    with pytest.raises(NotFound):
        office.campaigns.show(tenant, campaign.id)
    with pytest.raises(NotFound):
        office.campaigns.judge(tenant, "usr_x", (campaign.id, office.ada.id, "member"), REMOVE, "checked")
    assert office.roles(office.ada) == {"member"}


@pytest.mark.parametrize("days", [340, 400])  # in time, and after an installation stood still
def test_the_last_owner_and_the_last_operator_do_not_lapse(office: Office, days: int) -> None:
    office.world.bootstrap.operator("op@example.org", "eu")
    second = office.world.person(office.tenant, "owner")
    office.world.clock.forward(days=300)
    office.campaigns.run()
    assert office.said("role.extended") == []
    office.world.roles.assign(office.as_(office.owner), second.id, "owner", days=days - 300 - 30 + 200)
    office.world.clock.forward(days=days - 300)
    office.campaigns.run()
    assert {one.tenant for one in office.said("role.extended")} == {None}  # the second owner lasts
    assert not office.world.bootstrap.needed()
    office.world.users.disable(office.as_(second), office.owner.id)
    office.world.clock.forward(days=170)
    office.campaigns.run()
    kept = [one.facts["user"] for one in office.said("role.extended") if one.tenant == office.tenant]
    assert (kept, office.roles(second)) == ([second.id], {"owner"})
    count = len(office.said("role.extended"))
    office.campaigns.run()
    assert len(office.said("role.extended")) == count


def test_one_tenant_in_dispute_keeps_no_other_waiting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    other = office.world.tenant().id
    office.world.person(other, "owner")
    first, second = sorted((office.tenant, other))
    office.world.clock.forward(days=92)
    began = office.campaigns.open

    def beaten(tenant: str, actor: str) -> Campaign:
        if tenant == first:
            began(tenant, actor)  # another process, a moment before
        return began(tenant, actor)

    monkeypatch.setattr(office.campaigns, "open", beaten)
    assert office.campaigns.run() == 1
    assert [len(office.campaigns.all_of(one)) for one in (first, second)] == [1, 1]
