"""The transit engine of one OpenBao (or Vault) server: the calls a key domain needs, every failure mapped.

Each call makes its own connection and reads the token file anew. A domain makes a handful of calls per epoch, so this
costs nothing that matters, and there is no state to share between threads, to survive a fork or to outlive a restart.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import hvac
import requests
from hvac import exceptions as refusals

from troth.kernel.errors import Unavailable
from troth.keys.roots.secret_file import read_secret

_TYPE = "aes256-gcm96"
_SIGNER = "ecdsa-p256"
_FIRST = 1  # version of a key; nobody is to rotate a signer
_DONE = 204
_MOVED = range(300, 400)
_HEALTH = MappingProxyType(  # status codes of sys/health
    {429: "openbao-standby", 472: "openbao-standby", 473: "openbao-standby"}
    | {501: "openbao-sealed", 503: "openbao-sealed"}
)


@dataclass(frozen=True, slots=True)
class ServicePlace:
    """Where the service is. `authority` is a file with the certificate authority, or None for the system's."""

    address: str
    mount: str
    token_file: Path
    authority: Path | None
    namespace: str | None
    seconds: float


class Rejected(Exception):
    """The service understood the request and refused its content (400), or an export (any code)."""


class Transit:
    """Named keys of one mount."""

    def __init__(self, place: ServicePlace) -> None:
        self._place = place

    def cluster(self) -> str:
        """The id of the service's storage, which a restart keeps. Raises `Unavailable` (sealed, standby, away)."""
        with self._client() as client:
            health = _asked(lambda: client.sys.read_health_status(method="GET"), _HEALTH)
        if not isinstance(health, dict):
            raise _unavailable("openbao-failed")
        if not health.get("cluster_id"):
            raise _unavailable("openbao-sealed")
        return str(health["cluster_id"])

    def makes_keys_by_chance(self) -> bool:
        """True when encrypting under an unknown name would make a key of that name."""
        with self._client() as client:
            config = _asked(lambda: client.adapter.get(f"/v1/{self._place.mount}/config/keys"))
        return not _data(config).get("disable_upsert")

    def create(self, name: str) -> None:
        """A fresh AES-256 key that derives one key per context, can be neither exported nor backed up in clear."""
        with self._client() as client:
            _asked(
                lambda: client.secrets.transit.create_key(
                    name,
                    derived=True,
                    exportable=False,
                    allow_plaintext_backup=False,
                    key_type=_TYPE,
                    mount_point=self._place.mount,
                )
            )

    def create_signer(self, name: str) -> None:
        """A fresh key for ECDSA on P-256, which can be neither exported nor backed up in clear."""
        with self._client() as client:
            _asked(
                lambda: client.secrets.transit.create_key(
                    name,
                    exportable=False,
                    allow_plaintext_backup=False,
                    key_type=_SIGNER,
                    mount_point=self._place.mount,
                )
            )

    def sign(self, name: str, message: bytes) -> bytes:
        """ES256 as JWS has it (RFC 7518, 3.4): r || s, by the first version of the key, whatever came after it.

        Raises `Rejected` when there is no such key, or when its first version may no longer sign.
        """
        with self._client() as client:
            answer = _asked(
                lambda: client.secrets.transit.sign_data(
                    name,
                    _text(message),
                    hash_algorithm="sha2-256",
                    marshaling_algorithm="jws",
                    key_version=_FIRST,  # the certificate names its public key; the newest one may be another's
                    mount_point=self._place.mount,
                )
            )
        signature = _text_of(answer, "signature").rpartition(":")[2]
        try:
            return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        except ValueError:
            raise _unavailable("openbao-failed") from None

    def read(self, name: str) -> dict[str, Any] | None:
        """What the service says of a key; None when there is none."""
        with self._client() as client:
            found = _asked(lambda: client.secrets.transit.read_key(name, mount_point=self._place.mount))
        return None if found is None else _data(found)

    def names(self) -> list[str]:
        """Names of all keys of the mount."""
        with self._client() as client:
            found = _asked(lambda: client.secrets.transit.list_keys(mount_point=self._place.mount))
        return [] if found is None else [str(name) for name in _listed(_data(found).get("keys"))]

    def encrypt(self, name: str, plaintext: bytes, context: bytes) -> bytes:
        """The ciphertext. Raises `Rejected` when there is no such key."""
        with self._client() as client:
            answer = _asked(
                lambda: client.secrets.transit.encrypt_data(
                    name, _text(plaintext), context=_text(context), mount_point=self._place.mount
                )
            )
        return _text_of(answer, "ciphertext").encode()

    def decrypt(self, name: str, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext. Raises `Rejected` when there is no such key or the ciphertext is not of it and `context`."""
        try:
            text = ciphertext.decode("ascii")
        except UnicodeDecodeError as error:
            raise Rejected from error
        with self._client() as client:
            answer = _asked(
                lambda: client.secrets.transit.decrypt_data(
                    name, text, context=_text(context), mount_point=self._place.mount
                )
            )
        return base64.b64decode(_text_of(answer, "plaintext"))

    def delete(self, name: str) -> None:
        """Allow the deletion and delete. Raises `Rejected` when there is no such key."""
        with self._client() as client:
            engine = client.secrets.transit
            _asked(lambda: engine.update_key_configuration(name, deletion_allowed=True, mount_point=self._place.mount))
            _asked(lambda: engine.delete_key(name, mount_point=self._place.mount))

    def exports(self, name: str, kind: str = "encryption-key") -> bool:
        """True when the service gives the key away, by export or by plaintext backup."""
        with self._client() as client:
            engine = client.secrets.transit
            attempts: tuple[Callable[[], Any], ...] = (
                lambda: engine.export_key(name, kind, mount_point=self._place.mount),
                lambda: engine.backup_key(name, mount_point=self._place.mount),
            )
            return any(_gave(attempt) for attempt in attempts)

    @contextmanager
    def _client(self) -> Iterator[hvac.Client]:
        token = read_secret(self._place.token_file)
        with requests.Session() as session:
            session.trust_env = False  # no proxy, no .netrc, no other authority from the environment
            session.verify = str(self._place.authority) if self._place.authority else True  # hvac prefers the session's
            client = hvac.Client(
                self._place.address,
                token,
                timeout=self._place.seconds,
                allow_redirects=False,  # a standby would send the token to another address
                session=session,
                namespace=self._place.namespace,
            )
            yield client


def _gave(attempt: Callable[[], Any]) -> bool:
    try:
        return isinstance(_asked(attempt), dict)
    except Rejected:
        return False
    except Unavailable as error:
        if error.code in ("openbao-failed", "openbao-denied"):  # a refused backup answers 500
            return False
        raise


def _asked(call: Callable[[], Any], codes: Mapping[int, str] = MappingProxyType({})) -> Any:
    """The answer: a dictionary, or None when nothing is there. Raises `Rejected`, `Unavailable`."""
    try:
        answer = call()
    except refusals.InvalidPath as error:
        if error.errors:  # "no handler for route": the mount is missing, not the key
            raise _unavailable("openbao-mount") from None
        return None
    except refusals.InvalidRequest:
        raise Rejected from None
    except (refusals.VaultError, requests.RequestException, ValueError) as error:
        raise _unavailable(_code(error)) from None
    if not isinstance(answer, requests.Response):
        return answer
    if answer.status_code == _DONE:
        return None
    moved = "openbao-standby" if answer.status_code in _MOVED else "openbao-failed"
    raise _unavailable(codes.get(answer.status_code, moved))


def _code(error: Exception) -> str:
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            return code
    return "openbao-failed"


_CODES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((refusals.Forbidden, refusals.Unauthorized), "openbao-denied"),
    ((refusals.VaultDown, refusals.VaultNotInitialized), "openbao-sealed"),
    ((refusals.RateLimitExceeded,), "openbao-busy"),
    ((requests.exceptions.SSLError,), "openbao-tls"),
    ((requests.RequestException,), "openbao-offline"),
)
_SENTENCES = {
    "openbao-denied": "The key service refuses the token; renew it, and check its policy against the manual.",
    "openbao-sealed": "The key service is sealed or not ready; unseal it, then try again.",
    "openbao-busy": "The key service answers too many requests; try again later.",
    "openbao-tls": "The key service's certificate does not hold; check its name and the authority in the settings.",
    "openbao-offline": "The key service does not answer; check its address and that it runs.",
    "openbao-mount": "The key service has no transit engine at that mount; enable it, or correct the setting.",
    "openbao-standby": "This server of the key service is a standby; name the active one or a load balancer.",
    "openbao-failed": "The key service failed; look into its log, then try again.",
}


def _unavailable(code: str) -> Unavailable:
    return Unavailable(_SENTENCES[code], code=code)


def _data(answer: Any) -> dict[str, Any]:
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise _unavailable("openbao-failed")
    return data


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _unavailable("openbao-failed")
    return value


def _text_of(answer: Any, name: str) -> str:
    text = _data(answer).get(name)
    if not isinstance(text, str):
        raise _unavailable("openbao-failed")
    return text


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
