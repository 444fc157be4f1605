"""Erases a person and is killed at a point of its seal. Driven by test_key_domains.py.

Usage: python key_domain_worker.py FOLDER PROVIDERS(pickle, hex) TENANT SUBJECT DOMAIN ACT COUNT
Dies by SIGKILL before the COUNT-th ACT (create, seal, open, destroy) of the provider number DOMAIN.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from root_world import tree_over


class Killed:
    """A root under which the process dies."""

    def __init__(self, inner: Any, act: str, count: int) -> None:
        self._inner, self._act, self._left = inner, act, count

    def __getattr__(self, name: str) -> Any:
        if name == self._act:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self._inner, name)


if __name__ == "__main__":
    folder, providers, tenant, subject, domain, act, count = sys.argv[1:]
    roots: list[Any] = [one.root() for one in pickle.loads(bytes.fromhex(providers))]
    roots[int(domain)] = Killed(roots[int(domain)], act, int(count))
    tree = tree_over(Path(folder), roots)
    assert tree.resume()
    tree.destroy_subject(tenant, subject)
    print("sealed")
