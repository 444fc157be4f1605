"""What identity's operations take and give: every text has a size, every unknown member is refused.

All times are epoch milliseconds. Secrets (`token`, `password`, `secret`, `recovery_codes`) are shown once and not kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.kernel.details import MAX_REASON

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
Label = Annotated[  # one line of text: control characters fit no form, no mail header and no PostgreSQL column
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Secret = Annotated[str, StringConstraints(max_length=1024)]
Code = Annotated[str, StringConstraints(max_length=32)]
Role = Literal["owner", "admin", "member", "auditor", "room-auditor", "privacy-officer", "security-analyst"]
CustomRole = Annotated[str, Field(pattern=r"^rol_[a-z2-7]{26}$")]
AnyRole = Annotated[  # a built-in role, or the id of a custom one
    str, Field(pattern=r"^(owner|admin|member|(room-)?auditor|privacy-officer|security-analyst|rol_[a-z2-7]{26})$")
]
Jurisdiction = Literal["us", "eu", "au"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Nothing(_Message):
    """A request without content."""


class Done(_Message):
    """A response without content of its own."""

    done: bool = True


class SessionCreate(_Message):
    """Sign in. Leave `totp` out only when no second factor was ever set up."""

    email: Email
    password: Secret
    totp: Code | None = None
    recovery_code: Code | None = Field(None, description="Instead of `totp`, when the authenticator is lost.")
    device: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        None, description="What an earlier sign-in left with this device."
    )


class SessionToken(_Message):
    """A running session with the token to send as `Authorization: Bearer`, or as `DPoP` when a key answers for it."""

    id: str
    token: str
    expires_at: int


class SessionCreated(SessionToken):
    """A fresh session; `missing` names what to do before data is reached: `password` to change, `totp` to enrol."""

    assurance: int
    missing: tuple[str, ...]
    device: str


class SessionDelete(_Message):
    """The session to end; `current` is the one that asks."""

    session_id: Identifier


class SessionStepUp(_Message):
    """A one-time code, to prove the running session anew."""

    totp: Code | None = None
    recovery_code: Code | None = Field(None, description="Instead of `totp`, when the authenticator is lost.")


class SessionShown(_Message):
    """One session of the caller."""

    id: str
    method: str
    assurance: int
    zone: str
    created_at: int
    seen_at: int
    expires_at: int
    bound: Literal["dpop", "webcrypto", "dbsc"] | None = Field(description="How a device's key answers for it.")


class SessionList(_Message):
    """The caller's sessions, newest first; `current` is the one that asks."""

    current: str | None
    sessions: tuple[SessionShown, ...]


class TotpEnrol(_Message):
    """Ask for a secret; `totp` is a code from the present one, if there is one."""

    totp: Code | None = None


class TotpOffered(_Message):
    """The secret in base32, and as `otpauth:` URI for a QR code."""

    secret: str
    uri: str


class TotpConfirm(_Message):
    """A code from the offered secret."""

    totp: Code


class TotpConfirmed(SessionToken):
    """The second factor is in force; the session has a new token."""

    recovery_codes: tuple[str, ...]


class PasswordChange(_Message):
    """The present password and the new one."""

    current: Secret
    new: Secret


class AccountShown(_Message):
    """The caller's own account. `tenant` is absent for an operator.

    `passkey_due`: from when on the caller's roles rest until a passkey is shown; absent where none is
    needed, or was shown.
    """

    id: str
    email: str
    display_name: str
    tenant: str | None
    tenant_name: str | None
    jurisdiction: str
    roles: tuple[str, ...]
    assurance: int
    totp: bool
    passkeys: int
    passkey_due: int | None
    recovery_codes_left: int
    privacy: dict[str, str]


class AccountRectify(_Message):
    """What your account should say, and a one-time code; empty when a passkey was shown in the last 15 minutes."""

    totp: Code
    email: Email | None = None
    display_name: Label | None = None


class TenantCreate(_Message):
    """An organisation and its first owner. The jurisdiction is fixed for good."""

    name: Label
    jurisdiction: Jurisdiction
    owner_email: Email
    owner_name: Label


class TenantCreated(_Message):
    """The tenant, and the first password of its owner, to be changed within a week."""

    id: str
    owner: str
    password: str


class TenantShown(_Message):
    """One tenant."""

    id: str
    name: str
    jurisdiction: str
    created_at: int
    privacy: dict[str, str]


class TenantList(_Message):
    """All tenants, oldest first."""

    tenants: tuple[TenantShown, ...]


class OperatorCreate(_Message):
    """A further operator of the service."""

    email: Email
    display_name: Label


class OperatorShown(_Message):
    """One operator."""

    id: str
    email: str
    display_name: str
    active: bool
    created_at: int
    totp: bool


class OperatorList(_Message):
    """The operators, oldest first."""

    operators: tuple[OperatorShown, ...]


class UserCreate(_Message):
    """A person of the caller's tenant. Without roles the person reaches nothing."""

    email: Email
    display_name: Label
    roles: frozenset[Role] = frozenset()


class UserCreated(_Message):
    """The person, and the first password, to be changed within a week."""

    id: str
    password: str


class UserShown(_Message):
    """One person of the caller's tenant."""

    id: str
    email: str
    display_name: str
    active: bool
    created_at: int
    totp: bool
    passkeys: int
    roles: dict[str, int] = Field(description="Role, and when it lapses.")


class UserList(_Message):
    """The people of the caller's tenant, oldest first."""

    users: tuple[UserShown, ...]


class UserNamed(_Message):
    """One person of the caller's tenant."""

    user_id: Identifier


class RoleNamed(_Message):
    """One role of one person of the caller's tenant: a name, or the id of a custom role."""

    user_id: Identifier
    role: AnyRole


class RoleGive(RoleNamed):
    """A role to give, for how many days (an auditor's for at most 90), and why: sealed for that person."""

    days: int = Field(default=365, ge=1, le=365)
    reason: Annotated[str, Field(min_length=5, max_length=MAX_REASON)] | None = None


class RoleGranted(_Message):
    """A grant and when it lapses."""

    role: str
    granted_at: int
    expires_at: int
