"""A small HTTPS client for the operations of a server: TLS 1.3, one request, typed refusals."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from troth.kernel.errors import Invalid, TrothError, Unavailable

_TIMEOUT_SECONDS = 300  # all checks at once take a minute and more on a busy machine, a vendor up to two


class Refused(TrothError):
    """The server said no; its own code and advice are passed on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: media type and bytes."""

    media_type: str
    content: bytes

    def json(self) -> Any:
        """The decoded body, or None for an empty one."""
        return json.loads(self.content) if self.content else None


@dataclass(frozen=True, slots=True)
class Client:
    """One server and one credential."""

    url: str
    token: str | None = None
    authority: str | None = None

    @classmethod
    def from_environment(cls) -> Client:
        """TROTH_URL, TROTH_SESSION or TROTH_API_KEY, TROTH_CA."""
        token = os.environ.get("TROTH_SESSION") or os.environ.get("TROTH_API_KEY")
        return cls(os.environ.get("TROTH_URL", "https://localhost:8443"), token, os.environ.get("TROTH_CA"))

    def call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Answer:
        """Send one request. Raises `Refused` with the server's advice, `Unavailable` when there is no server."""
        place = urlsplit(self.url)
        if place.scheme != "https" or not place.hostname:
            raise Invalid("TROTH_URL must be an https address.", code="bad-url")
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        body = None
        if method in ("GET", "DELETE"):
            path = f"{path}?{urlencode(values)}" if values else path
        else:
            body, headers["content-type"] = json.dumps(values or {}), "application/json"
        connection = http.client.HTTPSConnection(
            place.hostname, place.port or 443, timeout=_TIMEOUT_SECONDS, context=self._context()
        )
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                "The certificate is not trusted; set TROTH_CA to tls/authority.pem of the server's keys folder.",
                code="untrusted-certificate",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                "The server cannot be reached; check TROTH_URL and TROTH_CA.", code="no-server"
            ) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise _refused(content)
        return Answer(response.headers.get_content_type(), content)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


def _refused(content: bytes) -> Refused:
    try:
        body = json.loads(content)
    except ValueError:
        return Refused("The server refused and gave no reason.", code="refused")
    error = body.get("error", body)
    return Refused(str(error.get("detail") or error.get("message")), code=str(error.get("code")))
