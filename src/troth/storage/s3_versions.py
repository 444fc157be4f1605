"""What obstore does not speak of a bucket: versions of an object, deleting one, the object lock.

Requests are signed in the query (AWS Signature Version 4, "Authenticating Requests: Using Query Parameters"); the
published example of that page is a test vector in tests/unit/storage/test_s3_versions.py.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from troth.kernel.errors import Unavailable

_EXPIRES = 300  # seconds
_LARGEST = 8 << 20  # bytes of an answer
_OK, _NOT_FOUND, _FORBIDDEN = range(200, 300), 404, 403


class Versions:
    """Versions of objects in one bucket (path style)."""

    def __init__(self, endpoint: str, bucket: str, region: str, keys: tuple[str, str], timeout: float) -> None:
        self._endpoint = urlsplit(endpoint)
        self._bucket = bucket
        self._signing = Signing(self._endpoint.netloc, region, keys)
        self._timeout = timeout

    def of(self, key: str) -> list[str]:
        """Ids of all versions and delete markers of an object. Raises `Unavailable`."""
        found: list[str] = []
        query = {"versions": "", "prefix": key}
        while True:
            answer = self._xml("GET", "", query)
            for one in answer:
                if _tag(one) in ("Version", "DeleteMarker") and _text(one, "Key") == key:
                    found.append(_text(one, "VersionId"))
            if _text(answer, "IsTruncated") != "true":
                return found
            query |= {
                "key-marker": _text(answer, "NextKeyMarker"),
                "version-id-marker": _text(answer, "NextVersionIdMarker"),
            }

    def delete(self, key: str, version: str) -> None:
        """Delete one version; one under object lock stays. Raises `Unavailable`."""
        status, _ = self._send("DELETE", key, {"versionId": version})
        if status not in (*_OK, _NOT_FOUND, _FORBIDDEN):
            raise _away()

    def lock_days(self) -> int | None:
        """The default retention of the bucket's object lock in days; None when there is none. Raises `Unavailable`."""
        status, body = self._send("GET", "", {"object-lock": ""})
        if status == _NOT_FOUND:
            return None
        if status not in _OK:
            raise _away()
        texts = {_tag(one): one.text or "" for one in _parsed(body).iter()}
        if "Days" in texts:
            return int(texts["Days"])
        return 366 * int(texts["Years"]) if "Years" in texts else None

    def _xml(self, method: str, key: str, query: Mapping[str, str]) -> ElementTree.Element:
        status, body = self._send(method, key, query)
        if status not in _OK:
            raise _away()
        return _parsed(body)

    def _send(self, method: str, key: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        path = quote(f"{self._endpoint.path}/{self._bucket}" + (f"/{key}" if key else ""))
        signed = self._signing.presigned(method, path, query, datetime.now(UTC))
        connection = self._connection()
        try:
            connection.request(method, f"{path}?{signed}")
            response = connection.getresponse()
            return response.status, response.read(_LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise _away() from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._endpoint.scheme == "http":  # this machine only; `S3Blobs` refuses the rest
            return http.client.HTTPConnection(self._endpoint.netloc, timeout=self._timeout)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._endpoint.netloc, timeout=self._timeout, context=context)


@dataclass(frozen=True, slots=True)
class Signing:
    """Whose requests, to where. `keys` are access key id and secret."""

    host: str
    region: str
    keys: tuple[str, str] = field(repr=False)
    expires: int = _EXPIRES

    def presigned(self, method: str, path: str, query: Mapping[str, str], now: datetime) -> str:
        """The query string with its signature; `path` is quoted already."""
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        members = {
            **query,
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.keys[0]}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(self.expires),
            "X-Amz-SignedHeaders": "host",
        }
        canonical = "&".join(f"{quote(name, safe='')}={quote(members[name], safe='')}" for name in sorted(members))
        request = f"{method}\n{path}\n{canonical}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.keys[1]}".encode()
        for part in (moment[:8], self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return f"{canonical}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"


def _parsed(body: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or len(body) >= _LARGEST:
        raise _away()
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - limited in size, without entities
    except ElementTree.ParseError as error:
        raise _away() from error


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ElementTree.Element, name: str) -> str:
    return next((one.text or "" for one in element if _tag(one) == name), "")


def _away() -> Unavailable:
    return Unavailable("The bucket does not answer as it should.", code="store-away")
