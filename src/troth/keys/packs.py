"""Many page versions in one object, so that a large change costs a few writes in each domain instead of thousands.

Bytes: `TKP1`, number of pages (4), their lengths (4 each), their contents. Every page is sealed on its own. No I/O.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from troth.kernel.errors import IntegrityError

MAGIC = b"TKP1"
MOST = 256  # pages in one pack: about 2 MB
_NUMBER = struct.Struct(">I")


def pack(contents: Sequence[bytes]) -> bytes:
    """One object of several sealed pages."""
    lengths = b"".join(_NUMBER.pack(len(one)) for one in contents)
    return MAGIC + _NUMBER.pack(len(contents)) + lengths + b"".join(contents)


def unpack(body: bytes) -> Iterator[bytes]:
    """The inverse of `pack`. Raises `IntegrityError` for anything that it cannot have written."""
    if len(body) < 8 or not body.startswith(MAGIC):
        raise _broken()
    (count,) = _NUMBER.unpack_from(body, 4)
    at = 8 + 4 * count
    if count > MOST or at > len(body):
        raise _broken()
    for (length,) in _NUMBER.iter_unpack(body[8:at]):
        yield body[at : at + length]
        at += length
    if at != len(body):
        raise _broken()


def _broken() -> IntegrityError:
    return IntegrityError("A pack of pages of the key tree was changed.", code="key-copy")
