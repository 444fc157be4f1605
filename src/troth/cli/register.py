"""`troth register`: the forms of registers, and what is wrong with one; nothing of it needs a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.governance.problems import Problem

_LARGEST = 256_000  # bytes of a form file; the reader has a limit of its own below it


@click.group()
def register() -> None:
    """Look at the forms of registers: what people must do and prove."""


@register.command()
@click.argument("name", metavar="NAME", required=False)
@click.option("--json", "as_json", is_flag=True, help="The list, or the form's head, as JSON.")
def forms(name: str | None, as_json: bool) -> None:
    """List the shipped forms with the promises that each is for; with NAME print that form in YAML."""
    from troth.governance.forms.reading import parse_form, shipped, shipped_text

    if name is not None and not as_json:
        click.echo(shipped_text(name), nl=False)
        return
    chosen = list(shipped().values()) if name is None else [parse_form(shipped_text(name))]
    rows = [
        {"form": one.name, "title": one.title, "promises": list(one.promises), "about": one.about} for one in chosen
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for one in chosen:
        click.echo(f"{one.name:20} {one.title:34} {' '.join(one.promises)}")


@register.command("lint-form")
@click.argument("names", metavar="FORM...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Findings as a JSON list of form, code, where and says.")
def lint_form(names: tuple[str, ...], as_json: bool) -> None:
    """Name everything that is wrong with each FORM, a file in YAML or the name of a shipped one.

    The examples of a form are judged too: its good ones must be in order together, each known-bad one must not be.
    Links and populations may lead to the other FORMs and to shipped ones. Exits with 1 when something is wrong.
    """
    found = [(name, problem) for name, problem in _problems(names)]
    if as_json:
        click.echo(json.dumps([{"form": name, **problem.as_json()} for name, problem in found]))
    for name, problem in [] if as_json else found:
        click.echo(f"{name}: {problem.says} [{problem.code} at {problem.where}]")
    if found:
        raise SystemExit(1)
    if not as_json:
        click.echo(f"{len(names)} of {len(names)} forms are in order, and their examples prove it.")


def _problems(names: tuple[str, ...]) -> list[tuple[str, Problem]]:
    from troth.governance.forms.reading import parse_form, shipped
    from troth.governance.linting import Problem, lint_form, lint_together
    from troth.kernel.errors import Invalid, TooLarge
    from troth.promises.catalogue import catalogue

    found: list[tuple[str, Problem]] = []
    read = {}
    for name in names:
        try:
            form = parse_form(_text(name))
        except (Invalid, TooLarge) as error:
            found.append((name, Problem(error.code, error.field or "form", error.advice)))
            continue
        read[form.name] = form
        found += [(name, one) for one in lint_form(form, catalogue())]
    together = lint_together({**shipped(), **read})
    return found + [(one.where.partition(".")[0], one) for one in together if one.where.partition(".")[0] in read]


def _text(name: str) -> str:
    from troth.governance.forms.reading import shipped_names, shipped_text
    from troth.kernel.errors import Invalid, NotFound, TooLarge

    if name in shipped_names():
        return shipped_text(name)
    try:
        if not Path(name).is_file():  # a pipe would be waited for
            raise NotFound("There is no such file, and no shipped form has that name.", code="register-not-found")
        with Path(name).open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise TooLarge("The form is longer than a form may be; shorten it.", code="yaml-too-long")
        return raw.decode()
    except OSError as error:
        raise NotFound(
            "The form cannot be read, and no shipped one has that name.", code="register-not-found"
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid("The form is not UTF-8 text.", code="bad-yaml") from error
