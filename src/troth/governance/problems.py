"""A finding about a form."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`code`: stable, for programs; `where`: the place in the form; `says`: what to do, for people."""

    code: str
    where: str
    says: str

    def as_json(self) -> dict[str, str]:
        """Code, where and says."""
        return asdict(self)
