"""A paper: the published text, and the file beside it (`NAME.paper.yaml`) that says what each sentence carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from troth.kernel.errors import Invalid, NotFound, TooLarge
from troth.promises.catalogue import Promise
from troth.promises.paper.splitting import MOST_BYTES, Layout, Sentence, sentences, text_of
from troth.settings import strict_yaml

SUFFIX = ".paper.yaml"
MOST_BINDING = 1 << 20  # bytes of a binding file: 2,000 sentences of some lines each
_LIMITS = strict_yaml.Limits(characters=MOST_BINDING, nodes=60_000, depth=8)

Token = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,99}$")]
PromiseId = Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2,3}$")]
Words = Annotated[str, Field(min_length=3, max_length=400)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*\.)+[a-z]{2,}$", max_length=253)]
Because = Literal["heading", "lead-in", "rhetoric", "contact", "link", "not-ours"]
_Model = TypeVar("_Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accepted(_Part):
    """A finding that a person lets stand, with the reason, until a day."""

    finding: Annotated[str, Field(pattern=r"^(unkept|contact-domain|wording/[a-z0-9-]{1,40})$")]
    because: Words
    by: Words
    until: date


class Bound(_Part):
    """What one sentence carries: promises, or none for a stated reason. Neither is "unbound"."""

    at: Annotated[str, Field(pattern=r"^[0-9]{1,6}\.[0-9]{1,4}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
    carries: tuple[PromiseId, ...] = Field(default=(), max_length=40)
    because: Because | None = None
    accepts: tuple[Accepted, ...] = Field(default=(), max_length=10)

    @property
    def decided(self) -> bool:
        """True when somebody said what it carries."""
        return bool(self.carries) or self.because is not None

    @model_validator(mode="after")
    def _one_of_both(self) -> Bound:
        if self.carries and self.because is not None:
            raise ValueError("carries and because")
        return self


class TextFile(_Part):
    """Where the text is, and its digest."""

    file: FileName
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    layout: Layout | None = None


class Binding(_Part):
    """The binding file."""

    paper: Token
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,19}$")]
    text: TextFile
    effective: date | None = None
    domains: tuple[Domain, ...] = Field(default=(), max_length=50)
    promises: FileName | None = None
    parameters: dict[Token, int | float | str | tuple[str, ...]] = Field(default_factory=dict, max_length=50)
    sentences: tuple[Bound, ...] = Field(max_length=2_000)

    @field_validator("version", mode="before")
    @classmethod
    def _spelt(cls, value: Any) -> Any:
        # A number with a point is refused: 1.10 would be read, and written back, as 1.1.
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class OwnPromise(_Part):
    """A promise that the catalogue does not have, with the checks that look at it (register-made ones too)."""

    id: PromiseId
    statement: Words
    kind: Literal["enforced", "evidenced", "recorded"]
    bound: Annotated[str, Field(min_length=2, max_length=100)]
    capability: Token = "own"
    acceptance: Words
    checks: tuple[Token, ...] = Field(min_length=1, max_length=20)

    def promise(self, paper: str) -> Promise:
        """As one of the catalogue."""
        named = {name: getattr(self, name) for name in ("id", "statement", "kind", "capability", "bound", "acceptance")}
        return Promise(**named, source=(paper,), implied=False)


class _OwnPromises(_Part):
    promises: tuple[OwnPromise, ...] = Field(max_length=500)


@dataclass(frozen=True)
class Paper:
    """A text with its binding. Nothing is judged yet: `lint` does that."""

    binding: Binding
    sentences: tuple[Sentence, ...]
    digest: str  # SHA-256 of the text's bytes
    own: tuple[OwnPromise, ...] = ()

    @property
    def name(self) -> str:
        """Its token."""
        return self.binding.paper

    @property
    def layout(self) -> Layout:
        """How its text is laid out."""
        return self.binding.text.layout or layout_of(self.binding.text.file)


def paper_of(text: bytes, binding: bytes, own: bytes | None = None) -> Paper:
    """A paper from its files. Raises Invalid (`bad-paper`, `bad-yaml`, `yaml-twice`), NotFound (`no-promises`) when the
    binding names a file of own promises and none is given, or TooLarge."""
    bound = _model(Binding, binding, "binding file")
    if bound.promises and own is None:
        says = f"The binding file names {bound.promises}, which is not beside it; add the file or remove the line."
        raise NotFound(says, code="no-promises")
    mine = _model(_OwnPromises, own, "file of own promises").promises if bound.promises and own is not None else ()
    layout = bound.text.layout or layout_of(bound.text.file)
    return Paper(bound, sentences(text_of(text), layout), sha256(text).hexdigest(), mine)


def layout_of(file: str) -> Layout:
    """How a text of that name is laid out when nothing says it."""
    return "markdown" if Path(file).suffix.lower() in (".md", ".markdown") else "plain"


def binding_path(path: Path) -> Path:
    """The binding file of a paper that is named by its text or by its binding file."""
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name.removesuffix(path.suffix) + SUFFIX)


def read_paper(path: Path) -> Paper:
    """The paper of a text or binding file. Raises NotFound (`paper-not-found`, `unbound-paper`) and as `paper_of`."""
    return gathered(binding_path(path).name, lambda name: limited(path.with_name(name)))


def gathered(binding: str, read: Callable[[str], bytes]) -> Paper:
    """The paper whose binding file has that name, its files read by `read`. Raises as `read_paper`."""
    try:
        spelt = read(binding)
    except NotFound as error:
        says = "That text has no binding file beside it; write one with: troth paper bind FILE"
        raise NotFound(says, code="unbound-paper") from error
    named = _model(Binding, spelt, "binding file")
    return paper_of(read(named.text.file), spelt, read(named.promises) if named.promises else None)


def limited(path: Path) -> bytes:
    """A file's bytes, no more than a paper may have. Raises NotFound or TooLarge."""
    most = max(MOST_BYTES, MOST_BINDING)
    try:
        if not path.is_file():
            raise NotFound("The paper, or a file that it names, is not there.", code="paper-not-found")
        with path.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise NotFound("The paper, or a file that it names, cannot be read.", code="paper-not-found") from error
    if len(content) > most:
        raise TooLarge("The file is larger than a paper may be; publish it in parts.", code="paper-too-long")
    return content


def _model(kind: type[_Model], content: bytes, what: str) -> _Model:
    if len(content) > MOST_BINDING:
        raise TooLarge(f"The {what} is larger than one may be.", code="paper-too-long")
    try:
        return kind.model_validate(strict_yaml.load(content.decode("utf-8"), _LIMITS, what=what))
    except UnicodeDecodeError as error:
        raise Invalid(f"The {what} is not UTF-8.", code="bad-paper") from error
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])[:100]
        field = "".join(one for one in field if one.isprintable())
        raise Invalid(
            f"The {what} has a field that is missing, unknown or not acceptable: {field or 'the whole'}; "
            "docs/reference/papers.md lists the fields.",
            code="bad-paper",
            field=field or None,
        ) from error
