"""The public pages: promises beside their evidence, and checking a certificate."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import document_of, filled
from troth.portal.render import Page, page
from troth.promises.catalogue import catalogue
from troth.promises.operations import Nothing
from troth.promises.report import PromiseTable
from troth.vault.verification import CertificateGiven, CertificateHolds

_FAMILIES = {
    "TRN": "Training",
    "LOC": "Where data lives",
    "CLS": "Classes of data",
    "CRY": "Encryption and keys",
    "ACC": "Access",
    "IDN": "Identity",
    "AUD": "Audit log",
    "MON": "Monitoring",
    "EDG": "Network edge",
    "BCK": "Backups",
    "DEL": "Deletion",
    "RGT": "Rights of people",
    "VEN": "Vendors",
    "INC": "Incidents",
    "GOV": "Governance",
}


async def trust(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Every promise with its state, by family."""
    table: PromiseTable = await desk.run("promise.list", caller, Nothing())
    acceptance = {promise.id: promise.acceptance for promise in catalogue().values()}
    families = [
        (name, [row for row in table.data if row.id.startswith(letters)]) for letters, name in _FAMILIES.items()
    ]
    frame = Page("Promises and evidence", "/trust", caller)
    runs = caller.kind == "operator" and caller.authentication.assurance >= 2
    return page("trust.html", frame, table=table, families=families, acceptance=acceptance, runs=runs)


async def verify(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The form to check a certificate."""
    return page("verify.html", Page("Verify a certificate", "/verify", caller), result=None, error=None)


async def verify_given(desk: Desk, request: Request, caller: Caller) -> Response:
    """Check a certificate, uploaded or pasted, with this installation's keys."""
    document = await document_of(request, "document")
    frame = Page("Verify a certificate", "/verify", caller)
    try:
        advice = "Give the whole certificate, as a file or pasted; it begins with {."
        wish = filled(CertificateGiven, advice, document=document)
        held: CertificateHolds = await desk.run("certificate.verify", caller, wish)
    except TrothError as error:
        return page("verify.html", frame, error.status, result=None, error=error)
    return page("verify.html", frame, result=held, error=None)
