"""Who has what, and the reviews of it. Operators review those of the service."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from troth.identity.governing import messages as m
from troth.identity.governing.campaigns import REMOVE, Campaign, Campaigns, Item
from troth.identity.governing.custom_roles import require_answerable, require_reviewer
from troth.identity.governing.having import Having, Held
from troth.identity.messages import Nothing
from troth.identity.roles import DECIDING
from troth.identity.store import OPERATORS
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

_COLUMNS = tuple(name for name in m.ItemShown.model_fields if name != "mine")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReviewOperations:
    """Access of one's own tenant, or of the service."""

    having: Having
    campaigns: Campaigns

    @operation(
        "access.list",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/access", body="none"),
        command=("access", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def held(self, call: Call, request: Nothing) -> m.AccessList:
        """List who has what, given by whom and why, since when, until when, and when they last used anything."""
        del request
        names = self.having.names(_place(call))
        found = tuple(_held(one, names) for one in self.having.of(_place(call)))
        call.note(count=len(found))
        return m.AccessList(grants=found)

    @operation(
        "access-review.list",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/access-reviews", body="none"),
        command=("access-review", "list"),
    )
    def list(self, call: Call, request: Nothing) -> m.CampaignList:
        """List the reviews of access with what came of them."""
        del request
        found = self.campaigns.all_of(_place(call))
        call.note(count=len(found))
        return m.CampaignList(reviews=tuple(_campaign(one, counts) for one, counts in found))

    @operation(
        "access-review.show",
        group=Group.AUDIT,
        request=m.CampaignNamed,
        route=Route("GET", "/v1/access-reviews/{campaign_id}", body="none"),
        command=("access-review", "show"),
    )
    def show(self, call: Call, request: m.CampaignNamed) -> m.CampaignOpened:
        """Show a review of access with every grant as it stood, and what was decided."""
        found, items = self.campaigns.show(_place(call), request.campaign_id)
        call.note(review=found.id)
        return _opened(found, items, call.caller.actor)

    @operation(
        "access-review.open",
        group=Group.REVIEW,
        request=Nothing,
        route=Route("POST", "/v1/access-reviews", status=201, max_bytes=1 << 10),
        command=("access-review", "open"),
    )
    def open(self, call: Call, request: Nothing) -> m.CampaignOpened:
        """Begin a review of access before it is due."""
        del request
        require_answerable(call.caller)
        made = self.campaigns.open(_place(call), call.caller.actor)
        call.note(review=made.id, digest=made.digest, count=made.grants)
        return _opened(*self.campaigns.show(_place(call), made.id), call.caller.actor)

    @operation(
        "access-review.judge",
        group=Group.REVIEW,
        request=m.GrantJudge,
        route=Route("POST", "/v1/access-reviews/{campaign_id}/grants/{user_id}/{role}", max_bytes=1 << 10),
        command=("access-review", "judge"),
    )
    def judge(self, call: Call, request: m.GrantJudge) -> m.ItemShown:
        """Let a person keep a role, or remove it at once; never one's own."""
        require_reviewer(call.caller)
        if request.verdict == REMOVE and request.role in DECIDING:
            require_answerable(call.caller)
        which = (request.campaign_id, request.user_id, request.role)
        item = self.campaigns.judge(_place(call), call.caller.actor, which, request.verdict, request.reason.value)
        call.note(review=item.campaign, user=item.user, subject=item.user, role=item.role, verdict=request.verdict)
        return m.ItemShown.model_validate(item)

    @operation(
        "access-review.close",
        group=Group.REVIEW,
        request=m.CampaignNamed,
        route=Route("POST", "/v1/access-reviews/{campaign_id}/closing", max_bytes=1 << 10),
        command=("access-review", "close"),
    )
    def close(self, call: Call, request: m.CampaignNamed) -> m.CampaignOpened:
        """Close a review of access in which everything was decided."""
        require_reviewer(call.caller)
        call.note(review=request.campaign_id)
        self.campaigns.close(_place(call), call.caller.actor, request.campaign_id)
        return _opened(*self.campaigns.show(_place(call), request.campaign_id), call.caller.actor)

    @operation(
        "access-review.export",
        group=Group.AUDIT,
        request=m.CampaignNamed,
        route=Route("GET", "/v1/access-reviews/{campaign_id}/csv", body="none"),
        command=("access-review", "export"),
    )
    def export(self, call: Call, request: m.CampaignNamed) -> Binary:
        """Take a review of access as CSV (RFC 4180), without names."""
        found, items = self.campaigns.show(_place(call), request.campaign_id)
        call.note(review=found.id, count=len(items))
        return Binary(_csv(items), "text/csv; charset=utf-8", filename=f"access-{found.id}.csv")


def _place(call: Call) -> str:
    """Whose access a caller may look at. Raises `NotFound` for one who has neither a tenant nor the service."""
    return OPERATORS if call.caller.kind == "operator" and call.caller.tenant is None else call.tenant


def _held(one: Held, names: dict[str, str]) -> m.AccessHeld:
    shown = m.AccessHeld.model_validate(one)
    return shown.model_copy(update={"name": names.get(one.role)})


def _campaign(one: Campaign, counts: dict[str, int]) -> m.CampaignShown:
    return m.CampaignShown.model_validate(one).model_copy(update={"outcomes": counts})


def _opened(found: Campaign, items: Sequence[Item], actor: str) -> m.CampaignOpened:
    counts: dict[str, int] = {}
    for one in items:
        counts[one.outcome or "open"] = counts.get(one.outcome or "open", 0) + 1
    shown = (m.ItemShown.model_validate(one).model_copy(update={"mine": one.user == actor}) for one in items)
    return m.CampaignOpened(review=_campaign(found, counts), grants=tuple(shown))


def _csv(items: Sequence[Item]) -> bytes:
    """Ids, codes and numbers only: nothing that a spreadsheet would take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(one, name) for name in _COLUMNS] for one in items)
    return text.getvalue().encode()
