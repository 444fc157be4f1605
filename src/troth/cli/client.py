"""A small HTTPS client for the operations of a server: TLS 1.3, one request, typed refusals."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from troth.cli import kept
from troth.kernel.errors import Invalid, TrothError, Unavailable

CLIENT_ID = "troth-cli"  # of this program, at the authorization server
_PIECE = 1 << 16
_TURN_SECONDS = 10 * 60  # tokens this old are renewed before they are used
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
class Streamed:
    """An answer on its way: headers by lower-case name, and the bytes."""

    headers: dict[str, str]
    pieces: Iterator[bytes]


class Holder(Protocol):
    """The private key that a session is bound to."""

    @property
    def thumbprint(self) -> str:
        """RFC 7638."""
        ...

    def pem(self) -> bytes:
        """The key itself."""
        ...

    def proof(self, method: str, url: str, *, now: int, token: str | None = None) -> str:
        """A DPoP proof for one request; `now` in epoch milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Client:
    """One server and one credential. With a `holder` each request carries a proof by its key (RFC 9449)."""

    url: str
    token: str | None = None
    authority: str | None = None
    device: str | None = None
    """Folder with `certificate.pem` and `key.pem` of this machine, for the server's port for certificates."""
    holder: Holder | None = None

    @classmethod
    def from_environment(cls) -> Client:
        """TROTH_URL, TROTH_CA, TROTH_DEVICE; who asks by TROTH_SESSION or TROTH_API_KEY, else by what `sign-in` keeps.

        A session in TROTH_SESSION that is the one that is kept is shown with its key.
        """
        here = os.environ
        url = here.get("TROTH_URL", "https://localhost:8443")
        bare = cls(url, None, here.get("TROTH_CA"), here.get("TROTH_DEVICE"))
        session, key = here.get("TROTH_SESSION"), here.get("TROTH_API_KEY")
        mine = kept.load(url) if session or not key else None
        if mine is not None and session in (None, "", mine.token):
            return bare.holding(mine) if session else bare.renewed(mine)
        return replace(bare, token=session or key or None)

    def holding(self, mine: kept.Kept) -> Client:
        """The same server by a session that is kept."""
        from troth.identity.devices.holding import DeviceKey  # help need not wait for it

        return replace(self, token=mine.token, holder=DeviceKey.from_pem(mine.key.encode()))

    def newcomer(self) -> Client:
        """The same server for somebody who has no session yet, with a fresh key to have one bound to."""
        from troth.identity.devices.holding import DeviceKey

        return replace(self, token=None, holder=DeviceKey())

    def renewed(self, mine: kept.Kept) -> Client:
        """By a session that is kept, with fresh tokens where they have been in use for a while.

        Raises `Refused` (`session-expired`) once the session is over, which forgets it.
        """
        if not _due(mine):
            return self.holding(mine)
        with kept.locked():
            mine = kept.load(self.url) or mine  # another process may have been first
            if not _due(mine):
                return self.holding(mine)
            asking = replace(self.holding(mine), token=None)
            wish = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": mine.refresh or ""}
            try:
                given = asking.form("/oauth/token", wish)
            except Refused as error:
                if error.code != "invalid-grant":
                    raise
                kept.keep(self.url, None)
                raise Refused("Your session is over; run: troth sign-in", code="session-expired") from error
            mine = asking.to_keep(given["access_token"], given["refresh_token"])
            kept.keep(self.url, mine)
        return self.holding(mine)

    def to_keep(self, token: str, refresh: str | None) -> kept.Kept:
        """What is to be kept of a session that this client's key holds."""
        assert self.holder is not None
        return kept.Kept(token, self.holder.pem().decode(), int(time.time()), refresh)

    def form(self, path: str, values: dict[str, str]) -> dict[str, Any]:
        """Post a form to an OAuth endpoint; its answer. Raises as `call`; codes are the standard's, with dashes."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        with self._answered("POST", path, urlencode(values), headers) as response:
            content = response.read()
        if response.status >= 400:
            raise _refused(content)
        answer: dict[str, Any] = json.loads(content)
        return answer

    @contextmanager
    def streamed(self, path: str, values: dict[str, Any]) -> Iterator[Streamed]:
        """A GET whose answer is read piece by piece within the block. Raises as `call`, also when it is cut."""
        with self._answered("GET", f"{path}?{urlencode(values)}" if values else path, None, {}) as response:
            if response.status >= 400:
                raise _refused(response.read())
            yield Streamed(dict((name.lower(), value) for name, value in response.getheaders()), _pieces(response))

    def call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Answer:
        """Send one request. Raises `Refused` with the server's advice, `Unavailable` when there is no server."""
        headers: dict[str, str] = {}
        body = None
        if method in ("GET", "DELETE"):
            path = f"{path}?{urlencode(values)}" if values else path
        else:
            body, headers["content-type"] = json.dumps(values or {}), "application/json"
        with self._answered(method, path, body, headers) as response:
            content = response.read()
        if response.status >= 400:
            raise _refused(content)
        return Answer(response.headers.get_content_type(), content)

    def upload(
        self, path: str, name: str, content: bytes, *, called: str = "file", fields: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one file as the field `name` of a multipart form (RFC 7578), with further fields. Raises as `call`."""
        boundary = secrets.token_hex(16)
        told = called.replace("\r", "_").replace("\n", "_").replace('"', "%22")
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{value}\r\n'
            for one, value in (fields or {}).items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{told}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        with self._answered("POST", path, body, headers) as response:
            answered = response.read()
        if response.status >= 400:
            raise _refused(answered)
        return Answer(response.headers.get_content_type(), answered)

    @contextmanager
    def _answered(
        self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        place = urlsplit(self.url)
        if place.scheme != "https" or not place.hostname:
            raise Invalid("TROTH_URL must be an https address.", code="bad-url")
        headers |= self.credential(method, path)
        connection = http.client.HTTPSConnection(
            place.hostname, place.port or 443, timeout=_TIMEOUT_SECONDS, context=self._context()
        )
        try:
            connection.request(method, path, body, headers)
            yield connection.getresponse()
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

    def credential(self, method: str, path: str) -> dict[str, str]:
        """The headers that say who asks, for one request; `path` may have a query."""
        if self.holder is None:
            return {"authorization": f"Bearer {self.token}"} if self.token else {}
        address = self.url.rstrip("/") + path.partition("?")[0]
        proof = self.holder.proof(method, address, now=time.time_ns() // 1_000_000, token=self.token)
        return {"dpop": proof} | ({"authorization": f"DPoP {self.token}"} if self.token else {})

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if self.device and (shown := Path(self.device) / "certificate.pem").is_file():
            context.load_cert_chain(shown, shown.with_name("key.pem"))
        return context


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(_PIECE):
        yield piece


def _refused(content: bytes) -> Refused:
    try:
        body = json.loads(content)
    except ValueError:
        return Refused("The server refused and gave no reason.", code="refused")
    error = body.get("error", body)
    if isinstance(error, str):  # RFC 6749 section 5.2
        return Refused(str(body.get("error_description")), code=error.replace("_", "-"))
    return Refused(str(error.get("detail") or error.get("message")), code=str(error.get("code")))


def _due(mine: kept.Kept) -> bool:
    return mine.refresh is not None and time.time() - mine.turned_at > _TURN_SECONDS
