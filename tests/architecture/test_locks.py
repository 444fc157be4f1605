"""Lock files pin everything by hash, name no address, agree with each other and with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from architecture.source_tree import ROOT

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SERVER_EXTRAS = (
    "server studio scale model postgres hsm openbao s3 mail traces sso scim vision bedrock valkey pdf".split()
)


def pins(lock: str) -> dict[str, set[str]]:
    """Versions by package; a universal lock may hold one package twice, for different Pythons."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line):
            found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


def group(name: str) -> list[str]:
    """Requirements of a dependency group with the groups it includes."""
    requirements: list[str] = []
    for one in PROJECT["dependency-groups"][name]:
        requirements += [one] if isinstance(one, str) else group(one["include-group"])
    return requirements


CORE: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
SERVER = CORE + [one for extra in SERVER_EXTRAS for one in EXTRAS[extra]]
WANTED = {
    "requirements.lock": CORE,
    "requirements-server.lock": SERVER,
    "requirements-demo.lock": SERVER + group("demo") + group("build"),
    "requirements-dev.lock": SERVER + group("dev"),
    "requirements-bench.lock": CORE + group("bench"),
    "requirements-idp.lock": CORE + group("idp"),
    "requirements-oscal.lock": CORE + group("oscal"),
}


def test_there_is_a_lock_for_each_purpose() -> None:
    assert set(LOCKS) == set(WANTED)


@pytest.mark.parametrize("lock", WANTED)
def test_a_lock_satisfies_pyproject(lock: str) -> None:
    held = pins(lock)
    unmet = []
    for line in WANTED[lock]:
        requirement = Requirement(line)
        versions = held.get(canonicalize_name(requirement.name), set())
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            unmet.append(line)
    assert unmet == [], "run `make lock`"


@pytest.mark.parametrize("lock", WANTED)
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    bare = [line for line in text.splitlines() if line.strip() and "--hash=sha256:" not in line]
    assert bare == []


@pytest.mark.parametrize("lock", WANTED)
def test_a_lock_names_no_address(lock: str) -> None:
    named = [line for line in (ROOT / lock).read_text().splitlines() if re.search(r"://|file:|^\s*-[^-]| @ |/", line)]
    assert named == []


@pytest.mark.parametrize("lock", WANTED)
def test_the_locks_agree(lock: str) -> None:
    everything = pins("requirements-dev.lock")
    held = pins(lock)
    assert [name for name in held if not held[name] <= everything.get(name, held[name])] == []
    if lock not in (
        "requirements-bench.lock",
        "requirements-idp.lock",
        "requirements-oscal.lock",
    ):  # the others are cut from it
        assert held.keys() <= everything.keys()
