"""Clients of the authorization server: a command line that shows a code, and a service with a key of its own."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from house import House, Person
from troth.identity.devices.holding import DeviceKey
from troth.identity.oauth.assertions import TYPE
from troth.identity.oauth.endpoint import DEVICE_GRANT

NONE = "none"  # said as header DPoP, the house's client adds no proof
CLIENT = "troth-cli"


def seconds() -> int:
    return int(datetime.now(UTC).timestamp())


def part(members: Any) -> str:
    """One part of a compact JWS."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


@dataclass
class Program:
    """A program with a key, and the installation it speaks to."""

    home: House
    key: DeviceKey = field(default_factory=DeviceKey)

    @property
    def issuer(self) -> str:
        return self.home.proving.origin

    def proof(self, method: str, path: str, token: str | None = None, **other: Any) -> str:
        return self.key.proof(method, self.issuer + path, now=seconds() * 1000, token=token, **other)

    def post(self, path: str, proof: str | None = "", **form: str) -> Any:
        """A form; with a fresh proof unless another, or None, is given."""
        shown = self.proof("POST", path) if proof == "" else proof or NONE
        return self.home.client.post(path, data=form, headers={"dpop": shown})

    def token(self, proof: str | None = "", **form: str) -> Any:
        return self.post("/oauth/token", proof, **form)

    def begin(self) -> dict[str, Any]:
        """Codes for a device."""
        answer = self.post("/oauth/device_authorization", client_id=CLIENT)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def redeem(self, begun: dict[str, Any], **changes: str) -> Any:
        form = {"grant_type": DEVICE_GRANT, "client_id": CLIENT, "device_code": begun["device_code"]}
        return self.token(**form | changes)

    def refresh(self, token: str, **changes: str) -> Any:
        return self.token(**{"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token} | changes)

    def signed_in(self, person: Person) -> dict[str, Any]:
        """Tokens of a device that this person approved."""
        begun = self.begin()
        self.home.ok("POST", "/v1/device-codes/approve", person.headers, user_code=begun["user_code"])
        answer = self.redeem(begun)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def get(self, path: str, token: str, proof: str | None = "", scheme: str = "DPoP", method: str = "GET") -> Any:
        """A request with a token; with a fresh proof unless another, or None, is given."""
        shown = self.proof(method, path, token) if proof == "" else proof or NONE
        return self.home.client.request(method, path, headers={"authorization": f"{scheme} {token}", "dpop": shown})


@dataclass
class Service(Program):
    """A service account that signs assertions by `signer` and is bound to `key`."""

    id: str = ""
    signer: DeviceKey = field(default_factory=DeviceKey)

    def assertion(self, header: dict[str, Any] | None = None, by: DeviceKey | None = None, **changes: Any) -> str:
        """An honest assertion; `changes` replace claims, None takes one away."""
        now = seconds()
        honest = {"iss": self.id, "sub": self.id, "aud": self.issuer, "iat": now, "exp": now + 60}
        said = {**honest, "jti": secrets.token_urlsafe(12), **changes}
        return (by or self.signer).sign(
            header or {"alg": "ES256"}, {name: value for name, value in said.items() if value is not None}
        )

    def asked(self, assertion: str | None = None, proof: str | None = "", **changes: str) -> Any:
        """The answer of the token endpoint."""
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE}
        return self.token(proof, **form | {"client_assertion": assertion or self.assertion()} | changes)

    def access(self) -> str:
        answer = self.asked()
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def service(home: House, owner: Person, *scopes: str, signer: DeviceKey | None = None, **wish: Any) -> Service:
    """A service account of the owner's tenant."""
    key = signer or DeviceKey()
    wished = {"name": "nightly", "scopes": list(scopes or ("generate", "own-data")), "days": 1, "jwk": key.jwk, **wish}
    made = home.ok("POST", "/v1/services", owner.headers, **wished)
    return Service(home, id=made["id"], signer=key)


def refused(answer: Any, code: str, status: int = 400) -> None:
    """A refusal as RFC 6749 section 5.2 has it."""
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
