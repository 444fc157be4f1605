"""The forms of one installation: those that are shipped, and those in the folder that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from troth.governance.forms.form import Form
from troth.governance.forms.reading import parse_form, shipped, shipped_names, shipped_text
from troth.governance.linting import lint_form, lint_together
from troth.kernel.errors import Invalid, TrothError

_LARGEST: Final = 256_000  # bytes; the reader has a limit of its own below it
_MOST: Final = 200  # forms in a folder


class Forms:
    """Forms by name, read when they are asked for. One of the folder stands before a shipped one of its name."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises Invalid(bad-setting) for a folder that cannot be read, or holds too many."""
        self._own = _files(folder)
        self._read: dict[str, Form] = {}

    def names(self) -> tuple[str, ...]:
        """Every name, in order."""
        return tuple(sorted({*shipped_names(), *self._own}))

    def get(self, name: str) -> Form:
        """One form. Raises NotFound(register-not-found), Invalid for one of the folder that is not in order."""
        if name not in self._read:
            self._read[name] = self._linted(name) if name in self._own else _shipped(name)
        return self._read[name]

    def sound(self) -> tuple[tuple[Form, ...], tuple[str, ...]]:
        """Every form that is in order, by name, and the names of those that are not: one blocks no other."""
        found: list[Form] = []
        wrong: list[str] = []
        for name in self.names():
            try:
                found.append(self.get(name))
            except TrothError:
                wrong.append(name)
        return tuple(found), tuple(wrong)

    def _linted(self, name: str) -> Form:
        form = self._parsed(name)
        together = {name: form, **{one: other for one in self.names() if (other := self._maybe(one)) is not None}}
        wrong = [*lint_form(form), *(one for one in lint_together(together) if _of(one.where) == name)]
        if wrong:
            raise Invalid(f"The form {name} is not in order: {wrong[0].says}", code="bad-form", field=wrong[0].where)
        return form

    def _maybe(self, name: str) -> Form | None:
        """None for one that cannot be read; whoever asks for that one is told why."""
        try:
            return self._parsed(name)
        except TrothError:
            return None

    def _parsed(self, name: str) -> Form:
        if name not in self._own:
            return _shipped(name)
        form = parse_form(_text(self._own[name]))
        if form.name != name:
            raise Invalid("A form stands in a file of another name; rename one of them.", code="bad-form")
        return form


def _shipped(name: str) -> Form:
    return shipped().get(name) or parse_form(shipped_text(name))  # which says that there is none


def _of(where: str) -> str:
    return where.partition(".")[0]


def _files(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    try:
        found = {one.stem: one for one in sorted(folder.iterdir()) if one.suffix == ".yaml" and one.is_file()}
    except OSError as error:
        raise Invalid("The folder of registers cannot be read; correct it.", code="bad-setting") from error
    if len(found) > _MOST:
        raise Invalid(f"The folder of registers holds more than {_MOST} forms.", code="bad-setting")
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) <= _LARGEST:
            return raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("A form of the folder of registers cannot be read.", code="bad-form") from error
    raise Invalid("A form of the folder of registers is longer than a form may be.", code="bad-form")
