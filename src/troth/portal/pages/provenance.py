"""The public page on origins: does a picture come from here, and by which sign is that known?"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.gateway.wire.provenance import ProvenanceVerdict, VerifyProvenance
from troth.gateway.wire.upload import Upload
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import upload_of
from troth.portal.render import Page, page

_MAX_BYTES = 8 << 20  # of a page's form; the API takes more
_TITLE = "Where a picture comes from"
_SOURCES = {
    "algorithmicMedia": "drawn by rules, without a model",
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "changed with a trained model",
}


async def ask(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The form."""
    return _shown(caller)


async def answer(desk: Desk, request: Request, caller: Caller) -> Response:
    """What the layers say about an uploaded file."""
    try:
        content = await upload_of(request, "file", _MAX_BYTES)
        if not content:
            raise Invalid("Choose a file first.", code="no-file", field="file")
        wish = VerifyProvenance(file=Upload(filename="picture", media_type="", content=content))
        verdict: ProvenanceVerdict = await desk.run("provenance.verify", caller, wish)
    except TrothError as error:
        return _shown(caller, error=error)
    return _shown(caller, verdict=verdict)


def _shown(caller: Caller, verdict: ProvenanceVerdict | None = None, error: TrothError | None = None) -> Response:
    frame = Page(_TITLE, "/provenance", caller)
    status = error.status if error else 200
    return page("provenance.html", frame, status, verdict=verdict, error=error, sources=_SOURCES)
