"""Responses that their caller asked to keep: sealed in the vault with what led to them, opened and deleted by their id.

They are kept here and never at a vendor, so `previous_response_id` sends the earlier items along, redacted anew.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from troth.gateway.clearance import Departure
from troth.gateway.receipts import Receipts
from troth.gateway.wire.responses import Response
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.kernel.operation import Call
from troth.vault.objects import KeepRequest, Objects

KIND = "response"
Items = list[dict[str, Any]]


class KeptResponses:
    """One's own kept responses, by the id of their request."""

    def __init__(self, objects: Objects, receipts: Receipts) -> None:
        self._objects = objects
        self._receipts = receipts

    def keep(
        self, departure: Departure, response: dict[str, Any], led_to_it: Items, pictures: Mapping[str, str]
    ) -> str:
        """Seal a response and the items that led to it; the receipt goes with it.

        `pictures` by item: the objects that hold them. They are named and not kept twice, so that who deletes one has
        deleted it here too.
        """
        call = departure.call
        output = [one | {"result": None} if one["id"] in pictures else one for one in response["output"]]
        kept_so = {"response": response | {"output": output}, "items": led_to_it, "pictures": dict(pictures)}
        content = json.dumps(kept_so, ensure_ascii=False)
        kept = self._objects.keep(
            KeepRequest(
                tenant=call.tenant,
                subject=call.subject,
                data_class=DataClass.USER_GENERATED,
                kind=KIND,
                media_type="application/json",
                name=f"{call.request_id}.json",
                content=content.encode("utf-8", "surrogatepass"),
                request=call.request_id,
            ),
            beside=Receipts.going_with(call, departure.receipt, ()),
        )
        call.note(object=kept.id)
        return kept.id

    def show(self, call: Call, response_id: str) -> Response:
        """One kept response. Raises `NotFound` for what is none of this person's, `Gone` once it was erased."""
        kept = self._open(call, response_id)
        held: dict[str, str] = kept.get("pictures", {})
        output = [one | {"result": self._picture(call, held[one["id"]])} if one["id"] in held else one
                  for one in kept["response"]["output"]]  # fmt: skip
        return Response.model_validate(kept["response"] | {"output": output})

    def context(self, call: Call, response_id: str) -> Items:
        """The items of a conversation that goes on after this response. Raises as `show` does, and `Denied` for who may
        not read it: a model would repeat it."""
        call.require("response.show")
        kept = self._open(call, response_id)
        items: Items = kept["items"]
        return [*items, *(item for one in kept["response"]["output"] if (item := _as_input(one)))]

    def delete(self, call: Call, response_id: str) -> None:
        """Delete one, and the receipt's content with it. Raises as `show` does."""
        kept = self._find(call, response_id)
        self._objects.delete(call.tenant, call.subject, kept, request=call.request_id)
        call.note(object=kept)

    def _open(self, call: Call, response_id: str) -> dict[str, Any]:
        kept = self._find(call, response_id)
        call.note(object=kept)
        _, content = self._objects.open(call.tenant, call.subject, kept)
        opened: dict[str, Any] = json.loads(content)
        return opened

    def _picture(self, call: Call, held: str) -> str | None:
        """In base64; None for one that was deleted or has expired since."""
        try:
            _, content = self._objects.open(call.tenant, call.subject, held)
        except (Gone, NotFound):
            return None
        return base64.b64encode(content).decode()

    def _find(self, call: Call, response_id: str) -> str:
        for kept in self._receipts.objects_of(call.tenant, response_id):
            if self._objects.info(call.tenant, call.subject, kept).kind == KIND:
                return kept
        raise NotFound("There is no kept response of that id; ask with store to keep one.", code="response-not-found",
                       field="response_id")  # fmt: skip


def _as_input(item: dict[str, Any]) -> dict[str, Any] | None:
    """An item of an answer as the next request sends it; what a model only thought is left out."""
    if item["type"] == "reasoning" or (item["type"] == "image_generation_call" and item["status"] == "failed"):
        return None
    if item["type"] == "image_generation_call":
        return {name: item[name] for name in ("type", "revised_prompt")}
    if item["type"] == "message":
        unsent = ("annotations", "logprobs")
        parts = [{name: value for name, value in part.items() if name not in unsent} for part in item["content"]]
        return {"type": "message", "role": "assistant", "content": parts}
    return {name: value for name, value in item.items() if name not in ("id", "status")}
