"""GOV-17: what runs is the release that was installed, file by file, with a whole bill of materials.

What installers write down is read: RECORD (packaging.python.org, recording installed projects) and direct_url.json
(PEP 610). A checkout that is run in place is no release, and then nothing is shown.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

import troth
from troth.governance.prepared.sbom import bill, digest, installed
from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Facts, counted
from troth.promises.system import System

_NAME = "troth"
_UNHASHED = ("RECORD", ".pyc")  # what the specification of RECORD leaves without a digest
_ORIGIN = "direct_url.json"


def _release(system: System, of: metadata.Distribution, runs: Path) -> Facts:
    """The distribution whose package lies at `runs`; nothing is looked at where it does not say which archive it is."""
    if not _archive(of):
        return Facts(population=1, tested=0, broken=0)
    outcomes = [*_files(of), *_strangers(of), Path(str(of.locate_file(_NAME))).resolve() == runs.resolve()]
    return counted(outcomes + _inventory(epoch_ms(system.base.clock.now())))


def _archive(of: metadata.Distribution) -> bool:
    """Whether it names the archive that it was installed from by its SHA-256; editable ones and folders do not."""
    try:
        origin: dict[str, Any] = json.loads(of.read_text(_ORIGIN) or "{}")
    except ValueError:
        return False
    told = origin.get("archive_info", {})
    named = told.get("hashes", {}).get("sha256") or str(told.get("hash", "")).removeprefix("sha256=")
    return len(named) == 2 * hashlib.sha256().digest_size


def _files(of: metadata.Distribution) -> Iterator[bool]:
    """Each file that RECORD names: there, and of its digest."""
    for one in of.files or ():
        if one.hash is None:
            yield str(one).endswith(_UNHASHED)
            continue
        try:
            with Path(str(one.locate())).open("rb") as file:
                found = hashlib.file_digest(file, one.hash.mode).digest()
        except (OSError, ValueError):  # away, or of a digest that nobody knows
            yield False
        else:
            yield base64.urlsafe_b64encode(found).decode().rstrip("=") == one.hash.value


def _strangers(of: metadata.Distribution) -> Iterator[bool]:
    """False for each file in the package that RECORD does not name. Compiled ones are made while it runs: each must be
    the cache of a module that RECORD names with a digest, whatever RECORD says of itself, which gives it none."""
    known: dict[Path | None, bool] = {Path(str(one.locate())).resolve(): one.hash is not None for one in of.files or ()}
    for path in Path(str(of.locate_file(_NAME))).rglob("*"):
        if not path.is_file():
            continue
        compiled = path.suffix == ".pyc"
        if (compiled and not known.get(_source(path))) or (not compiled and path.resolve() not in known):
            yield False


def _source(compiled: Path) -> Path | None:
    """The module whose cache that is (PEP 3147); None for one that is imported without a source."""
    try:
        return Path(source_from_cache(str(compiled.resolve())))
    except ValueError:
        return None


def _inventory(now: int) -> list[bool]:
    """The bill of materials names every installed package with its version, Troth too, the same each time."""
    environment = installed()
    made = bill(environment.components, now)
    listed = {one["name"]: one["version"] for one in made["components"]}
    there = [listed.get(one.name) == one.version != "" for one in environment.components]
    again = digest(bill(installed().components, now)) == digest(made)
    return [*there, environment.unreadable == 0, _NAME in listed, again]


def _changed(system: System) -> Facts:
    """The known-bad release: a file was changed after it was installed, and another one put in."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        root = Path(folder)
        told, package = root / f"{_NAME}-0.dist-info", root / _NAME
        told.mkdir()
        package.mkdir()
        (told / _ORIGIN).write_text(json.dumps({"archive_info": {"hashes": {"sha256": "0" * 64}}}))
        (told / "RECORD").write_text(f"{_NAME}/a.py,sha256={'A' * 43},1\n{_NAME}-0.dist-info/RECORD,,\n")
        for name in ("a.py", "b.py"):
            (package / name).write_text("changed\n")
        return _release(system, metadata.PathDistribution(told), package)


def _own(system: System) -> Facts:
    return _release(system, metadata.distribution(_NAME), Path(troth.__file__).parent)


CHECKS = (
    Check(
        "release-whole",
        ("GOV-17",),
        "The installed release: each file has the digest that its RECORD names, nothing was put beside, it names its "
        "archive by SHA-256 (PEP 610), and a bill of materials lists every package. Run in place, or from an index "
        "that names no archive, it shows nothing. What compiled files (.pyc) hold, who wrote RECORD, how the archive "
        "was built, other packages' files and threat models are not looked at.",
        _own,
        _changed,
        every=24 * 3600,
        scope="the installed distribution, and packages beside it",
        population="files of the release, and packages in the bill",
    ),
)
