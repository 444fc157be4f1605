"""A second process on a provider, or one that forks while 16 threads use two domains of it. Driven by test_roots.py.

Usage: python root_process.py acts PROVIDER < "create NAME" | "destroy NAME" | "present" lines; or forks PROVIDER NAME
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from root_world import Provider
from troth.kernel.errors import TrothError
from troth.keys.roots.port import Root

FORKS, THREADS = {"pkcs11": 6, "local": 1, "openbao": 1}, 16


def acts(root: Root) -> None:
    for line in sys.stdin:
        act, *names = line.split()
        try:
            answer = getattr(root, act)(*names)
        except TrothError as error:
            answer = error.code
        print(answer, flush=True)


def forks(roots: list[Root], name: str) -> None:
    """Prints the codes with which children were refused, and whether every thread opened what it sealed."""
    for root in roots:
        root.create(name)
    stop, opened = threading.Event(), [0] * THREADS

    def use(at: int) -> None:
        root = roots[at % 2]
        while not stop.is_set():
            assert root.open(name, root.seal(name, b"secret", b"aad"), b"aad") == b"secret"
            opened[at] += 1

    threads = [threading.Thread(target=use, args=(at,)) for at in range(THREADS)]
    for thread in threads:
        thread.start()
    codes = {_child(roots[0], name) for _ in range(FORKS[roots[0].kind])}
    stop.set()
    for thread in threads:
        thread.join()
    for root in roots:
        assert root.open(name, root.seal(name, b"after", b"aad"), b"aad") == b"after"
    print(*sorted(codes), min(opened) > 0)


def _child(root: Root, name: str) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            code = "open" if root.open(name, root.seal(name, b"child", b"aad"), b"aad") == b"child" else "wrong"
        except TrothError as error:
            code = error.code
        os.write(writing, code.encode())
        sys.exit(0)  # with all that an interpreter does at its end
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as said:
        return f"{said.read().decode()}:{os.waitstatus_to_exitcode(status)}"


if __name__ == "__main__":
    provider: Provider = pickle.loads(bytes.fromhex(sys.argv[2]))
    if sys.argv[1] == "acts":
        acts(provider.root())
    else:
        forks([provider.root(), provider.sibling().root()], sys.argv[3])
