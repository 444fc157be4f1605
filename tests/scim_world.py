"""A tenant with an identity provider that provisions it: connection, verified domain, token, and the calls of one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from house import House, Person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BASE = "/scim/v2"


class FreshAddresses(list[str]):
    """Examples of `userName` for the tester: each look gives an address of the domain that nobody has yet."""

    def __init__(self, domain: str) -> None:
        super().__init__([f"someone@{domain}"])
        self.domain = domain

    def __getitem__(self, index: Any) -> Any:
        return f"{uuid.uuid4()}@{self.domain}"


@dataclass
class Provider:
    """An identity provider of one tenant, as Troth's door sees it."""

    home: House
    owner: Person
    connection: str
    domain: str
    token: str
    token_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, message: Any = None, **headers: str) -> Any:
        """One message; anything but None goes as application/scim+json."""
        sent: dict[str, Any] = {} if message is None else {"json": message}
        kind = {} if message is None else {"content-type": "application/scim+json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.home.client.request(method, BASE + path, headers={**self.headers, **kind, **named}, **sent)

    def ok(self, method: str, path: str, message: Any = None, **headers: str) -> Any:
        """The same, which must succeed; gives the JSON."""
        answer = self.call(method, path, message, **headers)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def joiner(self, who: str, **said: Any) -> Any:
        """A person by that name in the verified domain."""
        return self.ok("POST", "/Users", {"schemas": [USER], "userName": f"{who}@{self.domain}", **said})

    def patch(self, place: str, *operations: dict[str, Any], **headers: str) -> Any:
        """A PATCH with these operations."""
        return self.call("PATCH", place, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def group(self, name: str, *members: str) -> Any:
        """A group with these people."""
        joined = [{"value": one} for one in members]
        return self.ok("POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": joined})


def provider(
    home: House, owner: Person, domain: str, *, roles: dict[str, str] | None = None, verified: bool = True
) -> Provider:
    """A provider whose groups give `roles`, and everybody the role member."""
    wish = {
        "name": "Directory",
        "issuer": f"https://idp.{domain}",
        "client_id": "troth",
        "domains": [domain],
        "rules": {"roles": roles or {}, "default_roles": ["member"]},
    }
    made = home.ok("POST", "/v1/sso/connections", owner.headers, **wish)["id"]
    if verified:
        home.ok("POST", "/v1/sso/domains", home.operator, connection_id=made, domain=domain)
    issued = home.ok("POST", "/v1/provisioning/tokens", owner.headers, connection_id=made, name="Directory")
    return Provider(home, owner, made, domain, issued["token"], issued["id"])
