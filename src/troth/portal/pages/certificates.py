"""The certificates of erasures: those that a reader may see, to be downloaded again and checked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.forms import filled
from troth.portal.navigation import sees_all_certificates
from troth.portal.render import Page, page
from troth.vault import messages as m

_PAGE = 50


async def listing(desk: Desk, request: Request, caller: Caller) -> Response:
    """Newest first."""
    after = request.query_params.get("after") or None
    wanted = filled(m.CertificateList, "Begin with the newest certificate.", limit=_PAGE, after=after)
    found: m.CertificatePage = await desk.run("certificate.list", caller, wanted)
    frame = Page("Certificates", "/certificates", caller)
    whole = sees_all_certificates(caller)
    return page("certificates.html", frame, certificates=found.certificates, after=found.after, duty=whole)
