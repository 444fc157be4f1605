"""What the C library keeps of memory that was given back to it. glibc only; elsewhere both do nothing."""

from __future__ import annotations

import ctypes
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>
_FEW = 2


def few_arenas() -> None:
    """Let all threads share two heaps: by default each of them has one, and keeps what it freed. Call it before threads
    begin."""
    if (mallopt := _of_libc("mallopt")) is not None:
        mallopt(_ARENA_MAX, _FEW)


def give_back() -> None:
    """Return to the system what is free in the heaps, as after a start that read much and kept little."""
    if (trim := _of_libc("malloc_trim")) is not None:
        trim(0)


def _of_libc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)
