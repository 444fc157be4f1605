"""`troth audit verify` and `verify-proof`: check a log or a proof on this machine, and say what was not looked at."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.audit.reaudit import Progress, Resource
    from troth.audit.verify import Audited, LogBroken, Proven, Trust

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MAX_FILE = 4 << 20  # bytes of a checkpoint, proof, policy or entry
_LONG = 20_000  # entries from which on waiting is shown
_STEP = 4096  # entries between two looks of the bar


def trusting(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say whom to believe."""
    command = click.option("--key", help="The log's verifier key: name+id+key.")(command)
    return click.option(
        "--policy", type=_FILE, help="A C2SP tlog-policy: logs, witnesses and the quorum that must have cosigned."
    )(command)


@click.command()
@click.argument("log")
@trusting
@click.option("--trusted", type=_FILE, help="A checkpoint that you kept; the log must contain it.")
@click.option(
    "--remember",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the last checkpoint in this file: compared when it is there, replaced when the log holds.",
)
@click.option("--witnessed", type=_FILE, help="A joint proof of any entry: its meta log's checkpoint has the quorum.")
@click.option("--minimum", type=click.IntRange(min=0), default=0, help="Entries below this index may be pruned.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    log: str,
    *,
    key: str | None,
    policy: Path | None,
    trusted: Path | None,
    remember: Path | None,
    witnessed: Path | None,
    minimum: int,
    as_json: bool,
) -> None:
    """Read and hash every entry of LOG, a folder or an https address, up to its signed checkpoint."""
    from troth.audit.verify import LogBroken, verify_log

    kept = [content_of(path) for path in (trusted, remember) if path is not None and path.exists()]
    seen: dict[str, bytes] = {}
    with ExitStack() as stack:
        read = stack.enter_context(_opened(log))
        try:
            audited = verify_log(
                _noting(read, seen),
                trust_of(key, policy),
                trusted=kept,
                witnessed=None if witnessed is None else content_of(witnessed).decode(errors="replace"),
                minimum=minimum,
                progress=None if as_json else _progress(stack, seen),
            )
        except LogBroken as broken:
            raise _with_hint(broken, read, minimum) from broken
    began = remember is not None and not remember.exists()
    if remember is not None:
        _remember(remember, seen["checkpoint"])
    if as_json:
        click.echo(json.dumps({**asdict(audited), "root": audited.root.hex(), "unchecked": unchecked(audited)}))
        return
    tell(audited)
    if began:
        click.echo(f"Its checkpoint is kept in {remember} from now on; the next time the log is compared with it.")


@click.command("verify-proof")
@click.argument("proof", type=_FILE)
@click.option("--leaf", required=True, type=_FILE, help="The entry, byte for byte.")
@trusting
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify_proof(proof: Path, leaf: Path, *, key: str | None, policy: Path | None, as_json: bool) -> None:
    """Check a .tlog-proof file for one entry; of a tenant's entry, also its log's place in the meta log."""
    from troth.audit.verify import verify_joint

    proven = verify_joint(content_of(proof).decode(errors="replace"), content_of(leaf), trust_of(key, policy))
    if as_json:
        click.echo(json.dumps(asdict(proven)))
        return
    click.echo(f"The entry stands in the log {proven.origin} at index {proven.index}, of {proven.size} entries.")
    if proven.meta_index is not None:
        click.echo(f"That log's checkpoint stands in the meta log at index {proven.meta_index}.")
    _tell_witnesses(proven)


def unchecked(audited: Audited) -> list[str]:
    """What a reader must not take for checked, in sentences; empty when everything was."""
    left = []
    if audited.read < audited.size:
        left.append(
            f"{audited.size - audited.read} entries were pruned and not read: the hashes above vouch for them, "
            "their contents were not seen."
        )
    if audited.compared is None:
        left.append(
            "No checkpoint from before was there to compare with (--trusted, or --remember from the second time on), "
            "so whether the log was cut or rewritten since somebody looked was not checked."
        )
    if audited.witnessed is None:
        left.append(
            "No witness was asked for (--policy), so whether others are shown the same log was not checked: its "
            "owner could show you another one."
        )
    elif audited.witnessed < audited.size:
        left.append(f"The newest {audited.size - audited.witnessed} entries are not covered by witnesses yet.")
    return left


def trust_of(key: str | None, policy: Path | None) -> Trust:
    """Whom the options name. Raises `Invalid` when they name nobody."""
    from troth.audit.note import VerifierKey
    from troth.audit.tlog_policy import TlogPolicy
    from troth.audit.verify import Trust

    return Trust(
        None if key is None else VerifierKey.parse(key),
        None if policy is None else TlogPolicy.parse(content_of(policy)),
    )


def content_of(path: Path) -> bytes:
    """A small file. Raises `TooLarge` for what cannot be one of ours."""
    from troth.kernel.errors import TooLarge

    with path.open("rb") as file:
        content = file.read(_MAX_FILE + 1)
    if len(content) > _MAX_FILE:
        raise TooLarge("The file is larger than any checkpoint, proof, policy or entry.", code="document-too-large")
    return content


def tell(audited: Audited) -> None:
    """Print what held, and what was not looked at."""
    which = f"all {audited.size}" if audited.read == audited.size else f"{audited.read} of {audited.size}"
    click.echo(f"{audited.origin}: {which} entries stand as they were signed.")
    if audited.compared is not None:
        click.echo(f"It contains the checkpoint of {audited.compared} entries that you kept.")
    if audited.witnessed is not None:
        click.echo(f"A quorum cosigned it up to {audited.witnessed} entries: {', '.join(audited.witnesses)}.")
    left = unchecked(audited)
    if left:
        click.echo("Not checked:")
    for one in left:
        click.echo(f"- {one}")


def _tell_witnesses(proven: Proven) -> None:
    if proven.witnesses:
        click.echo(f"Cosigned by: {', '.join(proven.witnesses)}.")
    else:
        click.echo("Not checked: whether others are shown the same log (no witness was asked for: --policy).")


def _with_hint(broken: LogBroken, read: Resource, minimum: int) -> LogBroken:
    """Names what the log says of its own pruning; whether to accept that is the reader's to say."""
    from troth.kernel.errors import TrothError

    try:
        stated = int(read("minimum").decode("ascii"))
    except (TrothError, ValueError):
        return broken
    if minimum <= broken.first < stated:
        broken.advice = (
            f"{broken.advice} The log says that it was pruned below {stated}: accept that with --minimum {stated}."
        )
        broken.args = (broken.advice,)
    return broken


def _remember(path: Path, checkpoint: bytes) -> None:
    """Replace the file as a whole, on disk before its name moves: a crash leaves the old one or the new one."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(checkpoint)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _opened(log: str) -> Iterator[Resource]:
    from troth.audit.log_source import Website, folder
    from troth.kernel.errors import Invalid

    if "://" not in log:
        if not Path(log).is_dir():
            raise Invalid("There is no such folder; give a folder or an https address.", code="no-log")
        yield folder(Path(log))
        return
    with closing(Website(log, headers=credential(log), authority=os.environ.get("TROTH_CA"))) as site:
        yield site


def credential(log: str) -> Callable[[str], Mapping[str, str]]:
    """The reader's own credential, for each path, sent to the server of TROTH_URL and to nobody else."""
    from troth.cli.client import Client

    home = os.environ.get("TROTH_URL", "").rstrip("/")
    if not home or not log.startswith(f"{home}/"):
        return lambda _path: {}
    client = Client.from_environment()
    return lambda path: client.credential("GET", path)


def _noting(read: Resource, seen: dict[str, bytes]) -> Resource:
    """Reads, and keeps the checkpoint that was read: the one that is remembered must be the one that was checked."""

    def resource(path: str) -> bytes:
        content = read(path)
        if path == "checkpoint":
            seen[path] = content
        return content

    return resource


def _progress(stack: ExitStack, seen: dict[str, bytes]) -> Progress:
    """Shows a bar on a terminal, for long logs, where rich is installed."""
    bar: list[Progress | None] = []

    def show(done: int) -> None:
        if done % _STEP:
            return
        if not bar:
            bar.append(_bar(stack, _size(seen["checkpoint"])))
        if (moved := bar[0]) is not None:
            moved(done)

    return show


def _size(content: bytes) -> int:
    """The number of entries that a checkpoint, checked before, speaks of."""
    return int(content.split(b"\n", 2)[1])


def _bar(stack: ExitStack, size: int) -> Progress | None:
    if size < _LONG or not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    shown = stack.enter_context(Bar(console=Console(stderr=True), transient=True))
    task = shown.add_task("entries", total=size)
    return lambda done: shown.update(task, completed=done)
