"""Moderation for tenants: each by its own policy over the floor, with cases for people and evidence for the law."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from troth.gateway.moderation import attacks, pictures
from troth.gateway.moderation.cases import MOST, Cases, Found
from troth.gateway.moderation.moderator import Moderator, Side, refusal
from troth.gateway.moderation.own_policies import OwnPolicies
from troth.gateway.moderation.policy import HASH_LIST, PROMPT_ATTACK, Action, Policy
from troth.gateway.moderation.preserved import Preserved
from troth.gateway.moderation.takedowns import Match, Takedowns
from troth.kernel.operation import Call


class Office(Moderator):
    """The moderator of an installation. Without a call it judges by the floor, as every moderator does."""

    def __init__(self, policies: OwnPolicies, cases: Cases, takedowns: Takedowns, preserved: Preserved) -> None:
        super().__init__(floor=policies.floor)
        self.policies, self.cases, self.takedowns, self.preserved = policies, cases, takedowns, preserved

    def of(self, call: Call, side: Side) -> Moderator:
        """The moderator of one call. Reads the database: call it on a worker thread."""
        return _OfCall(self, call, side)

    def sweep(self) -> None:
        """End what is over."""
        self.preserved.sweep()
        self.cases.sweep()


class _OfCall(Moderator):
    """Judges one side of one call, and opens cases."""

    def __init__(self, office: Office, call: Call, side: Side, policy: Policy | None = None) -> None:
        self._rules, self._reads = office._rules, office._reads
        self.policy: Policy = policy or office.policies.of(call.tenant)
        self._office, self._call, self._side = office, call, side
        self._noted = set[str]()

    def of(self, call: Call, side: Side) -> Moderator:
        """Another side of it, by the same policy."""
        return _OfCall(self._office, call, side, self.policy if call is self._call else None)

    def check_all(self, texts: Iterable[str]) -> None:
        """All texts as one; those of a request also for attacks upon the model, unless the policy allows them."""
        whole = " ".join(texts)
        self.check(whole)
        if self._side == "input" and self.policy.rules[PROMPT_ATTACK].action is not Action.ALLOW:
            self.decide({PROMPT_ATTACK: attacks.score(whole)}, whole)

    def check_pictures(self, wanted: Iterable[bytes]) -> None:
        """Every frame against the list of take-downs, then by the model. Blocks. Raises `Denied`, `Unavailable`."""
        for content in wanted:
            match = self._office.takedowns.match(content)
            if match is not None:
                self._taken_down(match, content)
            if self.policy.picture.action is Action.ALLOW:
                continue
            if not pictures.available():
                if self.policy.pictures_required:
                    raise pictures.missing()
                continue
            score, look = pictures.highest(content)
            action = self.policy.picture.at(score)
            if action is not Action.ALLOW:
                small = {"picture": base64.b64encode(pictures.thumbnail(content, look)).decode()}
                self._act(action, "sexual", score, "picture", small)

    def decide(self, scores: Mapping[str, float], content: str) -> None:
        """Open a case for each category that the policy minds, then refuse if one is to be refused."""
        found = {category: self.policy.action(category, score) for category, score in scores.items()}
        minded = sorted((one for one in found if found[one] is not Action.ALLOW), key=lambda one: found[one].weight)
        for category in minded:  # what refuses comes last, when all are noted
            shown = content if len(content) <= MOST else f"{content[: MOST // 2]} … {content[-MOST // 2 :]}"
            self._note(found[category], category, scores[category], "text", {"text": shown})
        for category in scores:
            if found[category] is Action.REFUSE:
                raise refusal(category)

    def _taken_down(self, match: Match, content: bytes) -> None:
        small = None if match.illegal else pictures.thumbnail(content, match.look)
        shown = None if small is None else {"picture": base64.b64encode(small).decode()}
        case = self._note(Action.REFUSE, HASH_LIST, 1.0, "picture", shown)
        if match.illegal:
            self._office.preserved.preserve(self._call, case, content)
        raise refusal(HASH_LIST)

    def _act(self, action: Action, category: str, score: float, medium: str, shown: dict[str, str]) -> None:
        self._note(action, category, score, medium, shown)
        if action is Action.REFUSE:
            raise refusal(category)

    def _note(self, action: Action, category: str, score: float, medium: str, shown: dict[str, str] | None) -> str:
        found = Found(side=self._side, medium=medium, category=category, score=score, action=action,
                      policy=self.version, content=shown)  # fmt: skip
        if f"{medium}/{category}" in self._noted:
            return ""
        self._noted.add(f"{medium}/{category}")
        case, change = self._office.cases.opening(self._call, found)
        self._call.finish_with(change)
        self._call.note(verdict=action.value)
        return case
