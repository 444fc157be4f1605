"""The meta log for everybody: static resources without sign-in, so that any witness and any cache may have them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.audit.log import LogPublisher, immutable, media_type
from troth.audit.meta import META
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.scope import SYSTEM, within

_FOR_EVER = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=1"  # seconds: a checkpoint is at most that much older than the newest


class MetaRequest(BaseModel):
    """A resource of the meta log in the C2SP tlog-tiles layout: `checkpoint`, `tile/0/000`, `tile/entries/000.p/12`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(max_length=120, pattern=r"^(checkpoint|minimum|tile/[a-z0-9./x]+)$")]


class MetaLogOperations:
    """Reads the meta log, in which nothing names anybody."""

    def __init__(self, publisher: LogPublisher) -> None:
        self._publisher = publisher

    @operation(
        "meta.fetch",
        group=Group.PUBLIC,
        request=MetaRequest,
        route=Route("GET", "/v1/meta-log/{path:path}", body="none"),
        data_class=DataClass.SYSTEM,
    )
    def fetch(self, _call: Call, request: MetaRequest) -> Binary:
        """A checkpoint, tile or entry bundle of the meta log, which vouches for the logs of all tenants."""
        with within(SYSTEM):
            content = self._publisher.resource(META, request.path)
        caching = _FOR_EVER if immutable(request.path) else _SHORTLY
        return Binary(content, media_type(request.path), cache_control=caching)
