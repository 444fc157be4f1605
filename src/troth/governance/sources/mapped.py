"""The record of processing (GDPR Art. 30), read from the data map: the same words as in the public statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from troth.governance.data_map.map import Activity, DataMap, Retention
from troth.governance.data_map.reading import shipped
from troth.governance.sources.port import Kept, named
from troth.vault.rights.clocks import Calendar


@dataclass(frozen=True, slots=True)
class Activities:
    """What is done with personal data, as mapped. `jurisdiction`: where this installation stands; `of`: its map."""

    jurisdiction: str
    of: DataMap = field(default_factory=shipped)
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Every activity of the map, as it stands now."""
        return [self._activity(self.of, one, now) for one in self.of.activities]

    def _activity(self, of: DataMap, one: Activity, now: int) -> Kept:
        def words(kind: str, tokens: Iterable[str]) -> str:
            return "; ".join(of.words[kind].get(token, token) for token in tokens)

        return Kept(
            named("act", one.id),
            "mapped",
            now,
            {
                "name": one.title,
                "purpose": words("purpose", [one.purpose]),
                "basis": words("basis", [one.basis]),
                "subjects": words("subject", one.subjects),
                "categories": words("category", one.categories),
                "recipients": words("recipient", one.recipients),
                "regions": [self.jurisdiction],
                "retention": "; ".join(_kept_for(of, each) for each in one.retention),
                "safeguards": words("safeguard", one.safeguards),
            },
        )


def _kept_for(of: DataMap, one: Retention) -> str:
    after = of.words["retention"].get(one.after, one.after)
    return f"until {after}" if one.days is None else f"until {one.days} days after {after}"
