"""What tests of checks share: a part of the system with one method broken, and what a live look then shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from troth.promises.check import Check, Result, judge
from troth.promises.system import System


class Broken:
    """A real part of the system, but for the methods given by name."""

    def __init__(self, real: Any, **methods: Callable[..., Any]) -> None:
        self._real = real
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def named(checks: Sequence[Check], name: str) -> Check:
    """The check of that id."""
    return next(check for check in checks if check.id == name)


def shown(check: Check, system: System) -> Result:
    """What the live look of a check shows of a system."""
    return judge(check.observe(system))
