"""What people do with their API keys."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.api_keys import messages as k
from troth.identity.keys import ApiKeys, NewKey
from troth.identity.messages import Done, Nothing
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True)
class ApiKeyOperations:
    """One's own API keys: made, replaced, listed, ended."""

    keys: ApiKeys

    @operation(
        "key.create",
        group=Group.OWN_KEYS,
        request=k.KeyCreate,
        route=Route("POST", "/v1/keys", status=201, max_bytes=1 << 13),
        command=("key", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create_key(self, call: Call, request: k.KeyCreate) -> k.KeyCreated:
        """Create an API key; its token is shown this once."""
        limits = request.networks, request.models
        made = self.keys.create(NewKey(call.tenant, call.subject, request.name, request.scopes, request.days, *limits))
        call.note(key=made.id, expires=made.expires_at, kinds=_limits(*limits))
        return k.KeyCreated.model_validate(made)

    @operation(
        "key.rotate",
        group=Group.OWN_KEYS,
        request=k.KeyRotate,
        route=Route("POST", "/v1/keys/{key_id}/rotate", status=201, max_bytes=1 << 12),
        command=("key", "rotate"),
        data_class=DataClass.ACCOUNT,
    )
    def rotate_key(self, call: Call, request: k.KeyRotate) -> k.KeyRotated:
        """Replace an API key by one with a fresh secret; the old one ends within a day."""
        made = self.keys.rotate(call.tenant, call.subject, request.key_id, request.overlap_hours, request.days)
        call.note(key=made.replaced, replacement=made.id, until=made.replaced_until, expires=made.expires_at)
        return k.KeyRotated.model_validate(made)

    @operation(
        "key.list",
        group=Group.OWN_KEYS,
        request=Nothing,
        route=Route("GET", "/v1/keys", body="none"),
        command=("key", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_keys(self, call: Call, request: Nothing) -> k.KeyList:
        """List your API keys and when they end; tokens are never shown again."""
        del request
        shown = tuple(k.KeyShown.model_validate(one) for one in self.keys.list(call.tenant, call.subject))
        return k.KeyList(keys=shown)

    @operation(
        "key.revoke",
        group=Group.OWN_KEYS,
        request=k.KeyRevoke,
        route=Route("DELETE", "/v1/keys/{key_id}", body="none"),
        command=("key", "revoke"),
        data_class=DataClass.ACCOUNT,
    )
    def revoke_key(self, call: Call, request: k.KeyRevoke) -> Done:
        """End one of your API keys at once."""
        self.keys.revoke(call.subject, request.key_id)
        call.note(key=request.key_id)
        return Done()


def _limits(networks: tuple[str, ...] | None, models: frozenset[str] | None) -> dict[str, int]:
    return {"networks": len(networks or ()), "models": len(models or ())}
