"""Whose rows a piece of work may see: one tenant's, every tenant's (`SYSTEM`), or, by default, nobody's.

A database with row-level security is told at the beginning of every transaction. Work that forgot to say finds nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from troth.kernel.caller import Caller

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Scope:
    """One tenant by id, or all of them."""

    tenant: str = ""
    system: bool = False

    @classmethod
    def of(cls, caller: Caller) -> Scope:
        """A member reaches their tenant, an operator (who stands outside every tenant) all, a stranger nothing."""
        if caller.tenant is not None:
            return cls(caller.tenant)
        return SYSTEM if caller.kind == "operator" else NOBODY


NOBODY = Scope()
SYSTEM = Scope(system=True)  # start-up, background rounds, the log's sequencer, and finding out who somebody is
_current: ContextVar[Scope] = ContextVar("troth-scope", default=NOBODY)


def current() -> Scope:
    """The scope of this thread or task. Threads begin with none; `asyncio.to_thread` hands the caller's on."""
    return _current.get()


class within:  # noqa: N801 - reads as a statement
    """`with within(scope):` sets the scope of the block, whatever stood before, and puts that back."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._token: Token[Scope] = _current.set(self._scope)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def as_system(function: Callable[P, R]) -> Callable[P, R]:
    """A function that works for every tenant at once, whoever calls it. Not for generators."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with within(SYSTEM):
            return function(*args, **kwargs)

    return run
