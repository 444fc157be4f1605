"""Memory goes back to the system. Each in a process of its own, whose heaps nobody else uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from troth.http import allocator

_FREED = """
import sys
from pathlib import Path
from troth.http.allocator import give_back
def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
blocks = [bytes([1]) * 100_000 for _ in range(800)]  # below the size that the library takes from the system itself
pin = [bytes([1]) * 100_000]
full = resident()
blocks.clear()
before = resident()
give_back()
print(full, before, resident())
"""

_ARENAS = """
import ctypes, sys, tempfile, threading
from troth.http.allocator import few_arenas
if sys.argv[1] == "few":
    few_arenas()
libc, met, done = ctypes.CDLL(None), threading.Barrier(7), threading.Barrier(7)
libc.malloc.restype = ctypes.c_void_p
def allocate():
    met.wait()
    libc.malloc(1000)
    done.wait()
threads = [threading.Thread(target=allocate) for _ in range(6)]
for one in threads: one.start()
met.wait(); done.wait()
for one in threads: one.join()
with tempfile.NamedTemporaryFile() as file:
    libc.fopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(file.read().count(b"<heap "))
"""


def _said(program: str, *arguments: str) -> list[int]:
    command = [sys.executable, "-c", program, *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(one) for one in told.split()]


def test_what_was_freed_goes_back() -> None:
    full, before, after = _said(_FREED)
    assert before > full - 40, "the block behind the others was to keep them"
    assert after < before - 60


def test_threads_share_two_heaps() -> None:
    assert _said(_ARENAS, "few") <= [2]
    assert _said(_ARENAS, "many") > [2], "the threads of this test would share heaps anyway"


def test_another_library_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_of_libc", lambda _name: None)
    allocator.few_arenas()
    allocator.give_back()
