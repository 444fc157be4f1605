"""Documents are tested: links lead somewhere, commands exist, the reference is current, dependencies have reasons."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

from architecture.source_tree import ROOT, shown, tracked
from troth.cli.main import troth
from troth.settings.load import load
from troth.settings.manual import manual
from troth.wiring import build

DOCS = ROOT / "docs"
PAGES = [*tracked(".", ".md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`(troth [^`]+)`|<(?:code|pre)\b[^>]*>(troth [^<]+)<")
PYTHON = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def local_links(page: Path) -> list[tuple[str, Path]]:
    """Links of a page into this repository, with the file each leads to."""
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())  # what is code is no link
    targets = [target for target in LINK.findall(prose) if "://" not in target and target[0] != "#"]
    return [(target, (page.parent / target.partition("#")[0]).resolve()) for target in targets]


def commands() -> list[tuple[Path, list[str]]]:
    """Every command line of the shell blocks of all pages."""
    return [
        (page, shlex.split(line, comments=True))
        for page in PAGES
        for block in BLOCK.findall(page.read_text())
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    ]


def inline_commands() -> list[tuple[Path, list[str]]]:
    """Every `troth …` between backticks (also in tables), and in the code elements of the portal's templates."""
    return [
        (page, re.sub(r"\{\{.*?\}\}|[\[\]\\]", " ", found[1] or found[2]).split())
        for page in [*PAGES, *tracked("src/troth/portal/templates", ".html")]
        for found in INLINE.finditer(page.read_text())
    ]


def unknown_part(words: list[str]) -> str | None:
    """The first word of a `troth` command line that the command line does not know, or None."""
    command: click.Command = troth
    for word in words:
        if word.startswith("--"):
            options = {name for one in command.params for name in one.opts} | {"--help", "--version"}
            if word.partition("=")[0] not in options:
                return word
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return word
            command = found
    return None


def test_local_links_lead_somewhere() -> None:
    lost = [f"{shown(page)}: {text}" for page in PAGES for text, path in local_links(page) if not path.exists()]
    assert lost == []


def test_every_page_is_in_the_index() -> None:
    listed = {path for _, path in local_links(DOCS / "README.md")}
    forgotten = [shown(page) for page in tracked("docs", ".md") if page not in listed and page != DOCS / "README.md"]
    assert forgotten == []


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        (shown(page), target)
        for page in PAGES
        for target in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)`", page.read_text())
    } | {(shown(page), words[1]) for page, words in commands() if words[0] == "make"}
    assert named
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_troth_commands_in_documents_exist() -> None:
    lines = [(page, words) for page, words in commands() if Path(words[0]).name == "troth"]
    assert lines
    assert {".md", ".html"} == {page.suffix for page, _ in inline_commands()}
    lines += inline_commands()
    unknown = [
        f"{shown(page)}: {' '.join(words)}: {part}" for page, words in lines if (part := unknown_part(words[1:]))
    ]
    assert unknown == []


@pytest.mark.parametrize("words", [["unheard-of"], ["audit", "verify", "--unheard-of"]])
def test_an_unknown_command_is_seen(words: list[str]) -> None:
    assert unknown_part(words) == words[-1]


def test_python_examples_compile() -> None:
    examples = [(page, code) for page in PAGES for code in PYTHON.findall(page.read_text())]
    assert examples
    for page, code in examples:
        compile(code, shown(page), "exec")


def test_the_reference_is_current() -> None:
    check = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, f"run `make docs`: {check.stdout}{check.stderr}"


def test_the_reference_names_every_operation(tmp_path: Path) -> None:
    """Those of an installation that was built, not of a search through the source."""
    built = build(load(data={"folder": tmp_path / "data", "keys": tmp_path / "keys"}))
    try:
        operations = {one.name for one in built.system.dispatcher.registry}
    finally:
        built.stop()
    page = (DOCS / "reference" / "operations.md").read_text()
    assert sorted(operations) == sorted(re.findall(r"^\| `([a-z.-]+)`", page, re.M))


def test_every_setting_is_explained() -> None:
    assert [one.environment for one in manual() if len(one.text) < 10] == []


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]
    lines = project["project"]["dependencies"] + [one for group in groups for one in group if isinstance(one, str)]
    reasons = "\n".join(page.read_text() for page in tracked("docs/decisions", ".md")).lower()
    names = {Requirement(line).name.lower() for line in lines}
    assert sorted(name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reasons)) == []


def test_decisions_are_numbered_once_and_dated() -> None:
    records = [page for page in tracked("docs/decisions", ".md") if page.name[0].isdigit()]
    numbers = [page.name[:4] for page in records]
    assert len(numbers) == len(set(numbers))
    undated = [
        page.name for page in records if not re.search(r"^(Status|Date|[*-] Status|\*\*Status)", page.read_text(), re.M)
    ]
    assert undated == []
