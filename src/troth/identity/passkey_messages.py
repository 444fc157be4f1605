"""What the operations on passkeys take and give. Bytes are base64url without padding, as WebAuthn's JSON has them.

`options` are what `navigator.credentials.create` and `get` take (WebAuthn Level 3, sections 5.4 and 5.5, as JSON).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.messages import Identifier, Label, SessionToken
from troth.identity.mfa.relying_party import Assertion, Attestation, decoded


def _bytes(text: str) -> str:
    decoded(text)  # raises ValueError
    return text


_BASE64URL = AfterValidator(_bytes)
ClientData = Annotated[str, StringConstraints(min_length=1, max_length=2732), _BASE64URL]  # 2 KiB
Credential = Annotated[str, StringConstraints(min_length=1, max_length=1364), _BASE64URL]  # 1,023 bytes
AttestationObject = Annotated[str, StringConstraints(min_length=1, max_length=10924), _BASE64URL]  # 8 KiB
AuthenticatorData = Annotated[str, StringConstraints(min_length=1, max_length=2732), _BASE64URL]  # 2 KiB
Signature = Annotated[str, StringConstraints(min_length=1, max_length=5464), _BASE64URL]  # 4 KiB: ML-DSA-65 has 3,309
UserHandle = Annotated[str, StringConstraints(min_length=1, max_length=88), _BASE64URL]  # 64 bytes


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class PasskeyOffered(_Message):
    """What to ask the device for; answer within five minutes."""

    options: dict[str, Any]


class PasskeyAdd(_Message):
    """What the device answered, and how you call it."""

    name: Label
    client_data: ClientData
    attestation: AttestationObject

    def answer(self) -> Attestation:
        """The device's answer as bytes."""
        return Attestation(decoded(self.client_data), decoded(self.attestation))


class PasskeyAdded(SessionToken):
    """A passkey counts from now on; the session has a new token. The first one brings recovery codes, shown once."""

    passkey: str
    recovery_codes: tuple[str, ...]


class PasskeyShown(_Message):
    """One passkey of the caller. `backed_up`: the device says that copies of it are kept elsewhere."""

    id: str
    name: str
    backed_up: bool
    created_at: int
    used_at: int | None


class PasskeyList(_Message):
    """The caller's passkeys, oldest first."""

    passkeys: tuple[PasskeyShown, ...]


class PasskeyRename(_Message):
    """A passkey, and how you want to call it."""

    passkey_id: Identifier
    name: Label


class PasskeyRemove(_Message):
    """The passkey to forget."""

    passkey_id: Identifier


class PasskeyAnswer(_Message):
    """What the device answered."""

    credential: Credential
    client_data: ClientData
    authenticator_data: AuthenticatorData
    signature: Signature
    user_handle: UserHandle

    def answer(self) -> Assertion:
        """The device's answer as bytes."""
        return Assertion(
            decoded(self.credential),
            decoded(self.client_data),
            decoded(self.authenticator_data),
            decoded(self.signature),
            decoded(self.user_handle),
        )


class SignInOffered(PasskeyOffered):
    """`attempt` must come back with the answer: nobody else can use the challenge."""

    attempt: str


class PasskeySignInAnswer(PasskeyAnswer):
    """The device's answer to a sign-in."""

    attempt: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    device: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        None, description="What an earlier sign-in left with this device."
    )
