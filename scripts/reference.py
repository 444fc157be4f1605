"""Writes docs/reference from the code (settings, refusals, operations, promises) and the index of all pages."""

from __future__ import annotations

import ast
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from troth import wiring
from troth.governance.forms.form import Form
from troth.governance.forms.reading import shipped
from troth.kernel import errors
from troth.kernel.operation import Declaration, declarations
from troth.promises.catalogue import catalogue
from troth.settings.manual import manual

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
DOCS = ROOT / "docs"
NOTE = "\n<!-- Written by `make docs` from the code; changes made here are lost. -->\n\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; bars and line ends inside cells are taken care of."""
    lines = [head, tuple("---" for _ in head), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ").strip() for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


INTRODUCTIONS = {
    "Documentation": """
Four kinds of pages, kept apart ([Diátaxis](https://diataxis.fr/)), and the records of why things are as they are.
""",
    "Settings": """
Troth reads the environment and a file `troth.toml` (another place: `TROTH_CONFIG`); the environment wins. In the file,
`TROTH_SERVER__PORT` is `port` in the section `[server]`. An unknown name stops the start.
""",
    "Refusals": """
Troth refuses with an RFC 9457 problem: `type` ends in the code, `status` is the HTTP status, `detail` says what to do.
Under `/v1` paths of the OpenAI API the same stands in that API's `error` object. Codes are stable. `…` stands for what
depends on the request.
""",
    "Operations": """
One declaration gives each operation its route, command, permission and audit record. The group is what the access
policy speaks of; the data class is the strictest that the answer may reveal. A running server describes requests and
answers at `/openapi.json`.
""",
    "OWASP ASVS 5.0.0": """
Levels 1 and 2 of the Application Security Verification Standard, restated in a few words; the standard's text decides.
*Shown*: by the tests and records named. *Partly*: what is missing stands beside it. *Open*: not there. Each test named
exists (`tests/architecture/test_asvs.py`); whether it shows the requirement is our reading, verified by nobody else.
""",
    "Promises": """
The promises, restated from the published papers. *Enforced*: the software refuses the violation. *Evidenced*: the
software measures it. *Recorded*: people do it and the software keeps track. What is kept now is not written here:
`troth promises` shows it beside its evidence.
""",
    "Registers": """
What people must do and prove, as forms: `troth register forms NAME` prints one, and
[Add a register](../how-to/add-a-register.md) tells what each part means. *From elsewhere*: the records are kept by
another room and are only shown here. *Conditions*: how many each record must meet; what stands under *Over time* is
judged beside them. [Keep a register](../how-to/keep-a-register.md) tells how.
""",
}


def page(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """One page: title, note, introduction, table."""
    return f"# {title}\n{NOTE}{INTRODUCTIONS[title].strip()}\n\n{table(head, rows)}"


def settings() -> str:
    """Every setting with its environment name, default and manual."""
    rows = [(f"`{one.environment}`", f"`{one.default}`", one.text) for one in manual()]
    return page("Settings", ("Environment", "Default", "What it does"), rows)


def refusals() -> str:
    """Every stable code with its HTTP status and what to do."""
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.TrothError)
    }
    rows = {(kind.default_code, str(kind.status), kind.title) for kind in kinds.values()}
    for path in sorted(SOURCE.rglob("*.py")):
        rows |= {(code, str(kinds[name].status), advice) for name, code, advice in _raised(path) if name in kinds}
    shown = sorted((f"`{code}`", status, advice) for code, status, advice in rows)
    return page("Refusals", ("Code", "Status", "What it says"), shown)


def _raised(path: Path) -> Iterator[tuple[str, str, str]]:
    """Class, code and advice of each refusal built in a module with a code of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            codes = [word.value for word in node.keywords if word.arg == "code"]
            if codes and isinstance(codes[0], ast.Constant) and isinstance(codes[0].value, str):
                yield node.func.id, codes[0].value, _advice(node.args[0]) if node.args else "…"


def _advice(sentence: ast.expr) -> str:
    if isinstance(sentence, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in sentence.values)
    return str(sentence.value) if isinstance(sentence, ast.Constant) else "…"


def declared() -> list[tuple[Declaration, str]]:
    """Every operation of the classes that `wiring` registers with the first line of its docstring, by name."""
    found: dict[str, tuple[Declaration, str]] = {}
    storeys = [import_module(f"troth.wiring.{one.name}") for one in pkgutil.iter_modules(wiring.__path__)]
    for owner in (value for module in (wiring, *storeys) for value in vars(module).values()):
        if isinstance(owner, type):
            for method, declaration in declarations(owner):
                text = (getattr(owner, method).__doc__ or "").strip()
                found[declaration.name] = (declaration, text.splitlines()[0] if text else "")
    return [found[name] for name in sorted(found)]


def operations() -> str:
    """Every operation with its doors, group and data class."""
    rows = []
    for one, text in declared():
        route = f"`{one.route.method} {one.route.path}`" if one.route else ""
        command = f"`troth {' '.join(one.command)}`" if one.command else ""
        rows.append((f"`{one.name}`", route, command, one.group.value, one.data_class.value, text))
    return page("Operations", ("Operation", "Route", "Command", "Group", "Data class", "What it does"), rows)


def promises() -> str:
    """The catalogue."""
    rows = [(f"`{one.id}`", one.kind, one.statement, one.acceptance) for one in catalogue().values()]
    return page("Promises", ("Promise", "Kind", "Statement", "When it is kept"), rows)


def registers() -> str:
    """The forms of registers that are shipped."""
    rows = [
        (
            f"`{one.name}`", one.title, one.about, ", ".join(one.promises),
            f"from elsewhere ({one.source})" if one.source else ", ".join(one.moves), ", ".join(one.states),
            _timed(one), str(len(one.kept_when)),
        )
        for one in shipped().values()
    ]  # fmt: skip
    head = ("Form", "Title", "About", "Promises", "Moves", "States", "Over time", "Conditions")
    return page("Registers", head, rows)


def _timed(form: Form) -> str:
    """What falls due, by name, and what is judged over many records."""
    names = [
        *form.dues,
        *(f"clock {name}" for name in form.clocks),
        *(f"everybody: {name}" for name in form.populations),
    ]
    names += ["ranges join"] if form.chain else []
    names += [f"{form.cadence.count} in {form.cadence.within}"] if form.cadence else []
    return ", ".join([*names, *(f"every {one.field}" for one in form.covers)])


def asvs() -> str:
    """The requirements of the security standard, each with what shows it; what is open is not left out."""
    required = yaml.safe_load((DOCS / "reference" / "asvs.yaml").read_text(encoding="utf-8"))
    rows = [(name, str(row["level"]), row["asks"], _standing(row), _shown(row)) for name, row in required.items()]
    counts = [f"{name} {sum(row[3] == name for row in rows)}" for name in ("shown", "partly", "open", "not applicable")]
    head = ("Requirement", "Level", "Asks", "State", "Shown by, and what is missing")
    text = page("OWASP ASVS 5.0.0", head, rows)
    return text.replace("\n\n| Requirement", f"\n\nOf {len(rows)}: {', '.join(counts)}.\n\n| Requirement", 1)


def _standing(row: dict[str, Any]) -> str:
    if "na" in row:
        return "not applicable"
    return "partly" if "by" in row and "open" in row else "shown" if "by" in row else "open"


def _shown(row: dict[str, Any]) -> str:
    named = [f"`{one}`" for one in row.get("by", ())]
    said = [row[key] for key in ("note", "na") if key in row]
    if "open" in row:
        said.append(f"open: {row['open']}")
    return "; ".join([", ".join(named), *said] if named else said)


SHELVES = {
    "tutorials": "Tutorials: learn by doing",
    "how-to": "How-to: do one thing",
    "reference": "Reference: look it up",
    "explanation": "Explanation: understand",
    "decisions": "Decisions: why it is so",
}


def index() -> str:
    """Every page by its title, kind by kind."""
    lines = [f"# Documentation\n{NOTE}{INTRODUCTIONS['Documentation'].strip()}\n"]
    for folder, title in SHELVES.items():
        lines.append(f"\n## {title}\n\n")
        for path in sorted((DOCS / folder).glob("*.md")):
            heading = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
            lines.append(f"- [{heading}]({folder}/{path.name})\n")
    return "".join(lines)


# The index comes last: it reads the titles of the others.
PAGES = {
    "reference/settings.md": settings,
    "reference/errors.md": refusals,
    "reference/operations.md": operations,
    "reference/promises.md": promises,
    "reference/asvs.md": asvs,
    "reference/registers.md": registers,
    "README.md": index,
}


def main() -> None:
    """Write the pages; with `--check`, name those that are not current and exit with 1."""
    stale = []
    for name, write in PAGES.items():
        path, text = DOCS / name, write()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    print("docs:", ", ".join(stale) or "current")
    sys.exit(1 if stale and "--check" in sys.argv else 0)


if __name__ == "__main__":
    main()
