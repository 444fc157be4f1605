"""What doors may call of responses and embeddings, under OpenAI's paths and names."""

from __future__ import annotations

from troth.gateway.embeddings import EmbeddingDesk
from troth.gateway.responses.desk import ResponseDesk
from troth.gateway.responses.kept import KeptResponses
from troth.gateway.wire.embeddings import CreateEmbeddings, Embeddings
from troth.gateway.wire.responses import CreateResponse, Response, ResponseById, ResponseDeleted
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, Stream, operation

_RESPONSE_BYTES = 32 << 20  # inline pictures
_EMBEDDING_BYTES = 8 << 20  # two million characters, escaped
_OWN = DataClass.USER_GENERATED


class AnswerOperations:
    """Responses, whole or streamed, kept on request; embeddings."""

    def __init__(self, responses: ResponseDesk, kept: KeptResponses, embeddings: EmbeddingDesk) -> None:
        self._responses = responses
        self._kept = kept
        self._embeddings = embeddings

    @operation("response.create", group=Group.GENERATE, request=CreateResponse, data_class=_OWN,
               route=Route("POST", "/v1/responses", max_bytes=_RESPONSE_BYTES))  # fmt: skip
    async def create_response(self, call: Call, request: CreateResponse) -> Response | Stream:
        """Answer a request for a response; the vendor sees placeholders, the caller the real text."""
        return await self._responses.create(call, request)

    @operation("response.show", group=Group.OWN_DATA, request=ResponseById, command=("response", "show"),
               data_class=_OWN, route=Route("GET", "/v1/responses/{response_id}", body="none"))  # fmt: skip
    def show_response(self, call: Call, request: ResponseById) -> Response:
        """Show one of one's own responses that was kept on request."""
        return self._kept.show(call, request.response_id)

    @operation("response.delete", group=Group.OWN_DATA, request=ResponseById, command=("response", "delete"),
               data_class=_OWN, route=Route("DELETE", "/v1/responses/{response_id}", body="none"))  # fmt: skip
    def delete_response(self, call: Call, request: ResponseById) -> ResponseDeleted:
        """Delete one of one's own kept responses, with what led to it."""
        self._kept.delete(call, request.response_id)
        return ResponseDeleted(id=request.response_id)

    @operation("embedding.create", group=Group.GENERATE, request=CreateEmbeddings, data_class=_OWN,
               route=Route("POST", "/v1/embeddings", max_bytes=_EMBEDDING_BYTES))  # fmt: skip
    async def create_embeddings(self, call: Call, request: CreateEmbeddings) -> Embeddings:
        """Turn texts into vectors; what is personal in them goes out as its kind alone."""
        return await self._embeddings.create(call, request)
