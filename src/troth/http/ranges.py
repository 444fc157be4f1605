"""A part of a response that is whole (RFC 9110 section 14): one range of bytes, as players of videos ask for it."""

from __future__ import annotations

import re

from starlette.responses import Response

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})\Z")


def ranged(response: Response, wanted: str | None, condition: str | None = None) -> Response:
    """The response, or the part of it that `wanted` (the header `Range`) names.

    Several ranges, another unit, and a `condition` (`If-Range`) get the whole: that is always permitted (14.2).
    """
    response.headers["accept-ranges"] = "bytes"
    match = _RANGE.match((wanted or "").replace(" ", "").lower()) if condition is None else None
    if response.status_code != 200 or match is None or not any(match.groups()):
        return response
    content, size = bytes(response.body), len(response.body)
    first, last = match.groups()
    start = max(0, size - int(last)) if not first else int(first)
    end = size - 1 if not first or not last else min(int(last), size - 1)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    if start >= size or end < start or (not first and int(last) == 0):
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, headers=headers)
