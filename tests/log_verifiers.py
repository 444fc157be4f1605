"""The two verifiers that people have, behind one door: `troth audit verify`, and the offline page's script in node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import playwright
from click.testing import CliRunner

from troth.cli.audit import audit
from troth.kernel.errors import TrothError

NODE = Path(playwright.__file__).parent / "driver" / "node"  # the one that drives the browser tests
_HARNESS = Path(__file__).with_name("verifier_page.mjs")


class Refused(Exception):
    """The verifier said no. `first` is the entry that it named, None when it named none."""

    def __init__(self, advice: str, first: int | None = None) -> None:
        super().__init__(advice)
        self.first = first


@dataclass(frozen=True)
class Given:
    """What a stranger holds: a log's folder, or a proof with its entry; whom they trust; what they kept."""

    trust: str  # a verifier key, or the lines of a policy
    folder: Path | None = None
    trusted: tuple[Path, ...] = ()
    proof: Path | None = None
    leaf: Path | None = None
    joint: Path | None = None
    minimum: int = 0
    key: str | None = None  # beside a policy


class Verifier(Protocol):
    """Raises `Refused`, or gives what it found."""

    def check(self, given: Given) -> dict[str, Any]: ...


@dataclass
class Command:
    """`troth audit verify` and `verify-proof`, through the real command line."""

    scratch: Path

    def check(self, given: Given) -> dict[str, Any]:
        arguments = self._arguments(given)
        result = CliRunner().invoke(audit, [str(one) for one in (*arguments, *self._trust(given), "--json")])
        if isinstance(result.exception, TrothError):
            first = getattr(result.exception, "first", None)
            raise Refused(result.exception.advice, first)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def _arguments(self, given: Given) -> list[object]:
        if given.proof:
            return ["verify-proof", given.proof, "--leaf", given.leaf]
        kept = [
            one for path, name in zip(given.trusted, ("--trusted", "--remember"), strict=False) for one in (name, path)
        ]
        joint = ["--witnessed", given.joint] if given.joint else []
        return ["verify", given.folder, *kept, *joint, "--minimum", given.minimum]

    def _trust(self, given: Given) -> list[object]:
        key = ["--key", given.key] if given.key else []
        if "\n" not in given.trust:
            return ["--key", given.trust]
        policy = self.scratch / "policy"
        policy.write_text(given.trust)
        return [*key, "--policy", policy]


@dataclass
class Page:
    """The first script of verifier.html, run by node; one process answers many questions."""

    process: subprocess.Popen[str]
    stubbed: bool = field(default=False)

    def check(self, given: Given) -> dict[str, Any]:
        trust = given.trust + (f"\n{given.key}\n" if given.key else "")
        return self.ask(
            trust=trust,
            folder=given.folder,
            trusted=given.trusted,
            proof=given.proof,
            leaf=given.leaf,
            joint=given.joint,
            minimum=given.minimum,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """One question as a line of JSON, one answer as another. Raises `Refused`."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({**question, "stubbed": self.stubbed}, default=_plain) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "refused" in answer:
            raise Refused(answer["refused"], answer.get("first"))
        return answer


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else str(value)


@contextmanager
def page_verifier(page: Path) -> Iterator[Page]:
    """The page's script in a node process of its own."""
    command = [str(NODE), str(_HARNESS), str(page)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Page(process)
        finally:
            process.kill()  # to close its input would not do: a process forked meanwhile has a copy of that end
