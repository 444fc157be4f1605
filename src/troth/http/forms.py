"""Multipart forms (RFC 7578), read in memory and within limits; python-multipart bounds the headers of a part."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from troth.kernel.errors import Malformed, TrothError

MAX_PARTS = 32
_MAX_FIELD = 1 << 20  # bytes of a field that is no file


class _MemoryParser(MultiPartParser):
    """Starlette's parser spools uploads over 1 MiB to a temporary file in clear; ours never touches the disk."""

    spool_max_size = 1 << 31


async def form_of(headers: Headers, stream: AsyncGenerator[bytes, None]) -> FormData:
    """The form in `stream`. Raises `Malformed` (`broken-multipart`), and what the stream raises."""
    parser = _MemoryParser(headers, stream, max_files=MAX_PARTS, max_fields=MAX_PARTS, max_part_size=_MAX_FIELD)
    try:
        return await parser.parse()
    except TrothError:
        raise
    except (MultiPartException, KeyError, ValueError):
        raise Malformed("The multipart body cannot be read.", code="broken-multipart") from None
