"""Requests and answers of governed access. Times in epoch milliseconds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.identity.governing.custom_roles import MOST
from troth.identity.governing.elevations import MOST_MINUTES, USUAL_MINUTES
from troth.identity.governing.emergency import MOST_DAYS, USUAL_DAYS
from troth.identity.governing.emergency import MOST_MINUTES as MOST_EMERGENCY
from troth.identity.messages import AnyRole, CustomRole, Identifier, Role
from troth.kernel.details import MAX_REASON
from troth.kernel.reasons import Why

Lendable = Annotated[str, Field(pattern=r"^(admin|member|auditor|privacy-officer|security-analyst|rol_[a-z2-7]{26})$")]
Reviewed = Annotated[
    str,
    Field(pattern=r"^(owner|admin|member|(room-)?auditor|privacy-officer|security-analyst|operator|rol_[a-z2-7]{26})$"),
]
Chosen = Literal["own-keys", "generate", "administer", "privacy", "audit", "review", "govern"]
RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")]
_Reason = Annotated[str, Field(min_length=5, max_length=MAX_REASON)]
_Groups = Annotated[frozenset[Chosen], Field(min_length=1, max_length=7)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CustomRoleCreate(_Message):
    """A role of your own: what it is called, and groups of operations beside the rights that everybody has."""

    name: RoleName
    groups: _Groups


class CustomRoleChange(_Message):
    """Other groups for a custom role."""

    role_id: CustomRole
    groups: _Groups


class CustomRoleNamed(_Message):
    """One custom role."""

    role_id: CustomRole


class CustomRoleShown(_Shown):
    """A custom role. `groups` with those that everybody has; `holders` counts people."""

    id: str
    name: str
    groups: tuple[str, ...]
    changed_by: str
    created_at: int
    changed_at: int
    holders: int


class CustomRoleList(BaseModel):
    """The custom roles of your tenant by name."""

    roles: Annotated[tuple[CustomRoleShown, ...], Field(max_length=MOST)]


class ElevationAsk(_Message):
    """Which role, for how long, and why: the reason is sealed for you and read by who decides."""

    role: Lendable
    minutes: int = Field(default=USUAL_MINUTES, ge=5, le=MOST_MINUTES)
    reason: _Reason


class ElevationNamed(_Message):
    """One elevation, or one use of emergency access."""

    elevation_id: Identifier


class ElevationDecide(_Message):
    """The elevation and why."""

    elevation_id: Identifier
    reason: Why


class ElevationShown(_Shown):
    """`kind` is elevation or break-glass; `state` asked, active, refused or ended.

    `expires_at` is when the question lapses, then when the role ends. `verdict`: of a reviewed break-glass.
    """

    id: str
    user: str
    role: str
    kind: str
    state: str
    minutes: int
    reason: str | None
    asked_at: int
    decided_by: str | None
    granted_at: int | None
    expires_at: int
    ended_by: str | None
    ended_at: int | None
    verdict: str | None
    reviewed_by: str | None
    reviewed_at: int | None


class ElevationList(BaseModel):
    """Elevations, newest first."""

    elevations: tuple[ElevationShown, ...]


class EmergencyDesignate(_Message):
    """Who may take which role in an emergency, and for how many days that holds."""

    user_id: Identifier
    role: Role
    days: int = Field(default=USUAL_DAYS, ge=1, le=MOST_DAYS)
    reason: _Reason


class PersonNamed(_Message):
    """One person of the tenant."""

    user_id: Identifier


class EmergencyUse(_Message):
    """Take the role now: for how long, and what happened. Every owner is told."""

    minutes: int = Field(default=MOST_EMERGENCY, ge=5, le=MOST_EMERGENCY)
    reason: _Reason


class EmergencyReview(_Message):
    """Whether a use was right, and on what that rests."""

    elevation_id: Identifier
    reason: Why
    verdict: Literal["justified", "unjustified"]


class DesignationShown(_Shown):
    """Who may take which role in an emergency."""

    user: str
    role: str
    designated_by: str
    designated_at: int
    expires_at: int


class UseShown(ElevationShown):
    """A use of emergency access, and when it must have been reviewed."""

    due_at: int


class EmergencyList(BaseModel):
    """Who is designated for emergencies, the first to end first."""

    designations: tuple[DesignationShown, ...]


class UseList(BaseModel):
    """Uses of emergency access that run or that nobody reviewed yet, newest first."""

    uses: tuple[UseShown, ...]


class AccessHeld(_Shown):
    """One grant. `name` is that of a custom role; `used_at` is when the person last used anything of theirs."""

    user: str
    role: str
    name: str | None = None
    granted_by: str
    granted_at: int
    expires_at: int
    used_at: int | None
    lent: bool
    reason: str | None


class AccessList(BaseModel):
    """Who has what, by person and role."""

    grants: tuple[AccessHeld, ...]


class CampaignNamed(_Message):
    """One review of access."""

    campaign_id: Identifier


class GrantJudge(_Message):
    """Whether a person keeps a role, and on what that rests."""

    campaign_id: Identifier
    user_id: Identifier
    role: Reviewed
    reason: Why
    verdict: Literal["keep", "remove"]


class CampaignShown(_Shown):
    """A review of access. `digest`: SHA-256 over the grants as they stood; `outcomes` counts, "open" waits."""

    id: str
    state: str
    opened_by: str
    opened_at: int
    due_at: int
    digest: str
    grants: int
    closed_by: str | None
    closed_at: int | None
    outcomes: dict[str, int] = {}


class CampaignList(BaseModel):
    """Reviews of access, newest first."""

    reviews: tuple[CampaignShown, ...]


class ItemShown(_Shown):
    """One grant under review. `outcome`: kept, removed, lapsed, renewed, ended or last-owner."""

    user: str
    role: str
    granted_by: str
    granted_at: int
    expires_at: int
    used_at: int | None
    verdict: str | None
    reason: str | None
    decided_by: str | None
    decided_at: int | None
    outcome: str | None
    mine: bool = False


class CampaignOpened(BaseModel):
    """A review of access with its grants; `mine` says that somebody else must decide."""

    review: CampaignShown
    grants: tuple[ItemShown, ...]


class UserLeave(_Message):
    """Who leaves, and why."""

    user_id: Identifier
    reason: Why


class Remainder(BaseModel):
    """Something that is left of a leaver, and what can be done about it."""

    what: str
    count: int
    advice: str


class UserLeft(BaseModel):
    """What ended, counted by kind, and what is left."""

    user: str
    roles: tuple[str, ...]
    ended: dict[str, int]
    left: tuple[Remainder, ...]


class RoleReplace(_Message):
    """Which roles a person has from now on, in the place of all that they had."""

    user_id: Identifier
    reason: Why
    roles: Annotated[frozenset[AnyRole], Field(min_length=1, max_length=8)]


class RolesReplaced(BaseModel):
    """Roles with their ends, and those that went."""

    roles: dict[str, int]
    removed: tuple[str, ...]
