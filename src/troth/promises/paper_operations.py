"""Papers on a server, as doors may ask for them: two operators publish one, and everybody reads what is published."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why
from troth.promises.paper.binding import MOST_BINDING
from troth.promises.paper.changes import weakens
from troth.promises.paper.lint import Finding
from troth.promises.paper.publishing import Papers, standing, state_of
from troth.promises.paper.splitting import MOST_BYTES
from troth.promises.paper.store import Files, Head

_MOST_BODY = 4 << 20  # JSON of three files at their largest, with what JSON writes longer


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PaperFiles(_Message):
    """A paper as three files: the text, its binding file (`NAME.paper.yaml`) and, if it names one, its promises."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)] = Field(repr=False)
    binding: Annotated[str, Field(min_length=1, max_length=MOST_BINDING)] = Field(repr=False)
    promises: Annotated[str, Field(min_length=1, max_length=MOST_BINDING)] | None = Field(default=None, repr=False)

    @property
    def files(self) -> Files:
        """As papers take them."""
        return Files(self.text, self.binding, self.promises)


class _Decided(_Message):
    reason: Why


class PaperPublish(PaperFiles, _Decided):
    """A version that is proposed, and why."""


class PaperList(_Message):
    """A request without fields."""


class PaperNamed(_Message):
    """One version, by its number on this server."""

    number: Annotated[int, Field(ge=1, le=1_000_000)]


class PaperApprove(PaperNamed):
    """The approval of a proposed version, and why."""

    reason: Why


class PaperDiff(PaperNamed):
    """A version, and the one that it is compared with: by default the one that was in force before it."""

    against: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class PaperShown(_Message):
    """One version. Times in epoch ms; `digest` stands in the log's entries. Who did it is shown to operators alone."""

    number: int
    paper: str
    version: str
    digest: str
    state: Literal["proposed", "withdrawn", "announced", "in force", "replaced"]
    proposed_at: int
    approved_at: int | None
    effective_at: int | None
    proposed_by: str | None = None
    approved_by: str | None = None


class PapersShown(_Message):
    """Versions, newest first."""

    papers: tuple[PaperShown, ...]


class PaperOpened(_Message):
    """One version with its files, byte for byte as they were approved."""

    shown: PaperShown
    text: str
    binding: str
    promises: str | None


class ChangeShown(_Message):
    """What became of one promise: dropped, weakened, added, strengthened or reworded, and the words of both."""

    promise: str
    kind: str
    says: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class DiffShown(_Message):
    """What a version changes; the worst first. `against` is 0 where nothing was in force before."""

    number: int
    against: int
    weakens: bool
    changes: tuple[ChangeShown, ...]


class FindingShown(_Message):
    """One finding of lint. `line` counts from 1, `sentence` from 0; both are empty where the binding file is meant."""

    code: str
    severity: str
    where: str
    says: str
    do: str
    line: int | None = None
    sentence: int | None = None
    quote: str | None = None


class FindingsShown(_Message):
    """What is wrong with a paper here, with the states and certificates of this installation."""

    paper: str
    version: str
    sentences: int
    findings: tuple[FindingShown, ...]


class PaperOperations:
    """The paper of the installation."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    @operation("paper.lint", group=Group.OPERATE, request=PaperFiles,
               route=Route("POST", "/v1/paper-findings", max_bytes=_MOST_BODY))  # fmt: skip
    def lint(self, call: Call, request: PaperFiles) -> FindingsShown:
        """Say what is wrong with a paper, by what this installation keeps now."""
        paper, found = self._papers.lint(request.files)
        call.note(paper=paper.name, version=paper.binding.version, count=len(found))
        findings = tuple(_finding(one) for one in found)
        return FindingsShown(paper=paper.name, version=paper.binding.version, sentences=len(paper.sentences),
                             findings=findings)  # fmt: skip

    @operation("paper.publish", group=Group.OPERATE, request=PaperPublish,
               route=Route("POST", "/v1/papers", status=201, max_bytes=_MOST_BODY))  # fmt: skip
    def publish(self, call: Call, request: PaperPublish) -> PaperShown:
        """Propose a version of the paper; somebody else approves it."""
        head = self._papers.publish(request.files, call.caller.actor)
        call.note(object=f"paper-{head.number}", paper=head.paper, version=head.version, digest=head.digest,
                  reason=request.reason)  # fmt: skip
        return self._shown(head, call.caller)

    @operation("paper.approve", group=Group.OPERATE, request=PaperApprove, command=("paper", "approve"),
               route=Route("POST", "/v1/papers/{number}/approval"))  # fmt: skip
    def approve(self, call: Call, request: PaperApprove) -> PaperShown:
        """Put a proposed version in force from its day on; what it weakens is announced first."""
        head = self._papers.approve(request.number, call.caller.actor)
        call.note(object=f"paper-{head.number}", paper=head.paper, version=head.version, digest=head.digest,
                  since=head.effective_at or 0, reason=request.reason)  # fmt: skip
        return self._shown(head, call.caller)

    @operation("paper.list", group=Group.PUBLIC, request=PaperList, command=("paper", "list"),
               route=Route("GET", "/v1/papers", body="none"))  # fmt: skip
    def list(self, call: Call, _request: PaperList) -> PapersShown:
        """List the published versions of the paper, newest first; operators see proposals too."""
        heads, now = self._papers.heads(), self._papers.now()
        seen = [one for one in reversed(heads) if _visible(one, call.caller)]
        return PapersShown(papers=tuple(shown(one, state_of(one, heads, now), call.caller) for one in seen))

    @operation("paper.show", group=Group.PUBLIC, request=PaperNamed, command=("paper", "fetch"),
               route=Route("GET", "/v1/papers/{number}", body="none"))  # fmt: skip
    def show(self, call: Call, request: PaperNamed) -> PaperOpened:
        """Give a version of the paper: its text, binding file and own promises."""
        head = self._seen(request.number, call.caller)
        kept, _ = self._papers.opened(head)
        one = kept.files
        return PaperOpened(shown=self._shown(head, call.caller), text=one.text, binding=one.binding, promises=one.own)

    @operation("paper.diff", group=Group.PUBLIC, request=PaperDiff, command=("paper", "changes"),
               route=Route("GET", "/v1/papers/{number}/changes", body="none"))  # fmt: skip
    def diff(self, call: Call, request: PaperDiff) -> DiffShown:
        """Say, promise by promise, what a version changes of the one before it."""
        new = self._seen(request.number, call.caller)
        old = self._seen(request.against, call.caller) if request.against else self._before(new)
        return self._diff(old, new)

    def _diff(self, old: Head | None, new: Head) -> DiffShown:
        found = self._papers.changes(old, new) if old else ()
        shown = tuple(ChangeShown(**{name: getattr(one, name) for name in ChangeShown.model_fields}) for one in found)
        return DiffShown(number=new.number, against=old.number if old else 0, weakens=weakens(found), changes=shown)

    def _before(self, head: Head) -> Head | None:
        """What readers relied on when it was approved, or rely on now while it waits: the newest before it."""
        heads, at = self._papers.heads(), head.approved_at or self._papers.now()
        earlier = [one for one in heads if one.number < head.number and one.approved_at is not None]
        held = [one for one in standing(earlier, at) if one.approved_at is not None and one.approved_at <= at]
        return held[-1] if held else None

    def _seen(self, number: int, caller: Caller) -> Head:
        head = self._papers.head(number)
        if not _visible(head, caller):
            raise NotFound("There is no such version of the paper.", code="no-paper")
        return head

    def _shown(self, head: Head, caller: Caller) -> PaperShown:
        return shown(head, state_of(head, self._papers.heads(), self._papers.now()), caller)


def shown(head: Head, state: Any, caller: Caller) -> PaperShown:
    """One version for who asks."""
    told = {name: getattr(head, name) for name in PaperShown.model_fields if name != "state"}
    if caller.kind != "operator":
        told |= {"proposed_by": None, "approved_by": None}
    return PaperShown(state=state, **told)


def _visible(head: Head, caller: Caller) -> bool:
    return head.approved_at is not None or caller.kind == "operator"


def _finding(one: Finding) -> FindingShown:
    return FindingShown(**one.as_json())
