"""One message of the protocol answered, for one provider. Imported late: it needs the extra `scim`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from scim2_models import SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService

from troth.identity.scim.access import Provider
from troth.identity.scim.groups import Groups
from troth.identity.scim.people import People
from troth.identity.scim.protocol import service
from troth.identity.scim.refusals import refusal_of
from troth.identity.scim.storage import TenantStorage
from troth.kernel.operation import Reply
from troth.kernel.record import Fact

MEDIA_TYPE = "application/scim+json"


class Conversation:
    """What a provider says, and what it is told. `facts`: what it touched, for the record."""

    def __init__(self, by: Provider, people: People, groups: Groups) -> None:
        self._storage = TenantStorage(by, people, groups)
        self._handler = ScimHandler(_service(), self._storage)

    @property
    def facts(self) -> dict[str, Fact]:
        """Ids and counts."""
        return self._storage.facts

    def answer(self, **message: Any) -> Reply:
        """The answer to a message: base_url, method, path, query, headers, body.

        Raises a `TrothError` for every refusal, and never what the provider wrote.
        """
        try:
            said = self._handler.handle(ScimRequest(**message))
        except SCIMException as error:
            raise refusal_of(error.status, error.scim_type) from None  # its text may repeat what was sent
        headers = {name: value for name, value in said.headers.items() if name.lower() != "content-type"}
        content = b"" if said.body is None else json.dumps(said.body, separators=(",", ":")).encode()
        return Reply(int(said.status), content, MEDIA_TYPE, headers)


@cache
def _service() -> ScimService:
    return service()
