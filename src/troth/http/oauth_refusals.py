"""Refusals of OAuth's own endpoints, as its clients read them: RFC 6749 section 5.2, RFC 8628 section 3.5, RFC 9449."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from troth.kernel.errors import TooMany, TrothError, Unauthenticated, Unavailable

# Codes of ours that are the standards' codes, spelt with dashes.
_KNOWN = frozenset(
    """invalid-request invalid-client invalid-grant unauthorized-client unsupported-grant-type invalid-scope
    authorization-pending slow-down access-denied expired-token invalid-dpop-proof""".split()
)
_PROOF = frozenset({"proof-invalid", "proof-required"})  # of the door, which judges proofs before anybody is asked
_BAD_REQUEST = 400


def oauth_problem(error: TrothError, request_id: str) -> Response:
    """`{"error", "error_description"}`; 401 for a client that did not prove itself, 400 for what is wrong in a request,
    429 and 503 as everywhere."""
    code = _code(error)
    headers = {"cache-control": "no-store", "pragma": "no-cache", "x-request-id": request_id}
    if isinstance(error, TooMany | Unavailable):
        headers["retry-after"] = "60" if isinstance(error, TooMany) else "5"
    status = error.status
    if code == "invalid_client":
        headers["www-authenticate"] = 'DPoP realm="troth"'
    elif status < 500 and not isinstance(error, TooMany):
        status = _BAD_REQUEST
    return JSONResponse({"error": code, "error_description": _described(error.advice)}, status, headers=headers)


def _code(error: TrothError) -> str:
    if error.code in _KNOWN:
        return error.code.replace("-", "_")
    if error.code in _PROOF:
        return "invalid_dpop_proof"
    if isinstance(error, TooMany):
        return "slow_down"
    if isinstance(error, Unauthenticated):
        return "invalid_client"
    if error.status >= 500:
        return "temporarily_unavailable" if isinstance(error, Unavailable) else "server_error"
    return "invalid_request"


def _described(advice: str) -> str:
    """RFC 6749 permits these signs only: %x20-21 / %x23-5B / %x5D-7E."""
    return "".join(one if " " <= one <= "~" and one not in '"\\' else "'" for one in advice)
