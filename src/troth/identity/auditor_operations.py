"""Letting somebody read the log of the tenant for a time, for its owners and administrators."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.identity.auditors import Auditors
from troth.identity.messages import Done, Identifier, Nothing, UserNamed
from troth.identity.roles import AUDITOR, MOST_DAYS
from troth.kernel.details import MAX_REASON
from troth.kernel.operation import Call, Group, Route, operation


class AuditorGrant(BaseModel):
    """Who, for how many days, and why: the reason is sealed beside the entry, for that person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: Identifier
    days: int = Field(default=14, ge=1, le=MOST_DAYS)
    reason: Annotated[str, Field(min_length=5, max_length=MAX_REASON)]


class AuditorShown(BaseModel):
    """One auditor; times in epoch milliseconds."""

    user: str
    granted_by: str
    granted_at: int
    expires_at: int


class AuditorList(BaseModel):
    """Who may read the log now."""

    auditors: tuple[AuditorShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorOperations:
    """Time-limited auditors of one's own tenant."""

    auditors: Auditors

    @operation(
        "auditor.grant",
        group=Group.ADMINISTER,
        request=AuditorGrant,
        route=Route("POST", "/v1/auditors", status=201, max_bytes=1 << 12),
        command=("auditor", "grant"),
    )
    def grant(self, call: Call, request: AuditorGrant) -> AuditorShown:
        """Let a person of your tenant read its log for some days; it ends by itself."""
        made = self.auditors.grant(call.caller, request.user_id, request.days)
        call.explain(request.reason, request.user_id)
        call.note(user=request.user_id, subject=request.user_id, role=AUDITOR, expires=made.expires_at)
        at, until = made.granted_at, made.expires_at
        return AuditorShown(user=request.user_id, granted_by=made.granted_by, granted_at=at, expires_at=until)

    @operation(
        "auditor.list",
        group=Group.ADMINISTER,
        request=Nothing,
        route=Route("GET", "/v1/auditors", body="none"),
        command=("auditor", "list"),
    )
    def list(self, call: Call, request: Nothing) -> AuditorList:
        """List who may read the log of your tenant, by whom and until when."""
        del request
        found = self.auditors.list(call.tenant)
        call.note(count=len(found))
        return AuditorList(auditors=tuple(AuditorShown(**asdict(one)) for one in found))

    @operation(
        "auditor.revoke",
        group=Group.ADMINISTER,
        request=UserNamed,
        route=Route("DELETE", "/v1/auditors/{user_id}", body="none"),
        command=("auditor", "revoke"),
    )
    def revoke(self, call: Call, request: UserNamed) -> Done:
        """End an auditor's access at once, and their sessions when they have no other role."""
        count = self.auditors.revoke(call.caller, request.user_id)
        call.note(user=request.user_id, subject=request.user_id, role=AUDITOR, count=count)
        return Done()
