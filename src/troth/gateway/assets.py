"""Links to pictures: `/v1/assets/{token}` opens one object of one person until its hour is over.

The token is what it opens and an end, sealed with AES-256-GCM (NIST SP 800-38D): nothing is stored, nothing can be
guessed, and nobody but this deployment reads who or what it names.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Gone, NotFound
from troth.kernel.operation import Binary
from troth.kernel.scope import Scope, within
from troth.vault.objects import Objects

MAX_LIFE_MS = 3_600_000  # one hour
_NONCE = 12  # bytes, random: SP 800-38D allows 2^32 links under one key
_LABEL = b"troth/asset-link/v2"


class Assets:
    """Gives out and opens links. `secret`: 32 bytes of the deployment; `base_url`: this server's address."""

    def __init__(self, objects: Objects, secret: bytes, base_url: str, clock: Clock) -> None:
        self._objects = objects
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_LABEL).derive(secret))
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def link(self, tenant: str, subject: str, object_id: str) -> str:
        """An address that opens the object for an hour."""
        end = epoch_ms(self._clock.now()) + MAX_LIFE_MS
        facts = "\0".join((tenant, subject, object_id, str(end))).encode()
        nonce = secrets.token_bytes(_NONCE)
        token = base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, facts, _LABEL)).decode().rstrip("=")
        return f"{self._base_url}/v1/assets/{token}"

    def open(self, token: str, caller: Caller) -> tuple[str, Binary]:
        """The object's id and content.

        Raises `NotFound` for a token that was not given out or a signed-in caller of another tenant, `Gone` when it
        has ended or the object was erased.
        """
        tenant, subject, object_id, end = self._read(token)
        if caller.tenant not in (None, tenant):
            raise _unknown()
        if epoch_ms(self._clock.now()) >= int(end):
            raise Gone("This link has ended; open the picture among your objects.", code="link-ended")
        with within(Scope(tenant)):  # a stranger with a link reaches the tenant that the sealed token names
            info, content = self._objects.open(tenant, subject, object_id)
        return object_id, Binary(content, info.media_type, info.name)

    def _read(self, token: str) -> list[str]:
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            facts = self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _LABEL)
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise _unknown() from error
        return facts.decode().split("\0")


def _unknown() -> NotFound:
    return NotFound("There is no such link; use one exactly as it was given.")
