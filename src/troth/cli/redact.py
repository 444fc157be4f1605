"""`troth redact`: text and data sets, on this machine, without a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli.redact_keys import public_key as read_public_key
from troth.cli.redact_keys import root_key
from troth.cli.redact_keys import signing_key as load_signing_key
from troth.cli.redact_lineage import lineage, register
from troth.cli.redact_media import image, video
from troth.cli.redact_policy import policy
from troth.cli.spans import TIER, content_of, loader, spans

if TYPE_CHECKING:
    from troth.redact.consent import ConsentGate
    from troth.redact.dataset import DatasetJob, Progress
    from troth.redact.detect import Detector
    from troth.redact.policy import Policy
    from troth.redact.rows import RowRedactor

_FILE = click.Path(dir_okay=False, path_type=Path)
_POLICY = click.Path(path_type=Path)  # a shipped policy goes by its name, also beside a folder of that name
_OLD_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def redact() -> None:
    """Make text and data sets safe for training."""


def _policy(path: Path | None) -> Policy:
    from troth.redact.policy import load_policy, training_policy, vendor_policy

    shipped = {"training": training_policy, "vendor": vendor_policy}
    if path and str(path) in shipped:
        return shipped[str(path)]()
    return load_policy(path) if path else training_policy()


for _command in (spans, policy, register, lineage, image, video):
    redact.add_command(_command)


@redact.command()
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Where redacted files go: an empty folder."
)
@click.option("--policy", "policy_path", type=_POLICY, help="training (the default), vendor, or a policy file in YAML.")
@click.option(
    "--key", type=_FILE, help="32 secret bytes for pseudonyms; made when missing. Without it, each run has its own."
)
@click.option(
    "--spans",
    "only_spans",
    is_flag=True,
    help='JSON Lines {"text"} in, {"spans": [{"start", "end", "label", "kind"}]} out.',
)
@TIER
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the redacted text and the counts.")
def text(paths: tuple[Path, ...], out: Path | None, only_spans: bool, as_json: bool, **options: Any) -> None:
    """Redact standard input to standard output, or files and whole folders into the folder --out.

    Files are text (.txt, .md, .log, .eml), JSON Lines (.jsonl, .ndjson) and tables (.csv, .tsv); one of another kind
    refuses them all. Their names are redacted too.
    """
    from troth.redact.reading import require_readable, text_of, written
    from troth.redact.text import redact as redact_text

    detector, policy, key = loader(options["tier"])(), _policy(options["policy_path"]), options["key"]
    if bool(paths) != bool(out) or (paths and only_spans):
        raise click.UsageError("Name files together with --out, or neither of them; --spans reads standard input.")
    if out:
        _documents(paths, out, _rows(detector, policy, root_key(key)), as_json=as_json)
        return
    if only_spans:
        _spans(policy, detector)
        return
    source = text_of(sys.stdin.buffer.read())
    require_readable(source, "Standard input")
    result = redact_text(source, detector, policy, root_key(key))
    if as_json:
        found = [{"start": s.start, "end": s.end, "kind": s.kind, "score": round(s.score, 3)} for s in result.spans]
        output = json.dumps({"text": result.text, "counts": result.counts, "spans": found}) + "\n"
    else:
        output = result.text
    sys.stdout.buffer.write(written(output))


def _rows(detector: Detector, policy: Policy, key: bytes) -> RowRedactor:
    from troth.redact.rows import RowRedactor

    return RowRedactor(detector, policy, key)


def _documents(paths: tuple[Path, ...], out: Path, redactor: RowRedactor, *, as_json: bool) -> None:
    """Files into a folder, with a progress bar on long work; never a partial file."""
    from troth.redact.dataset import Progress
    from troth.redact.documents import redact_documents

    with _bar(hidden=as_json) as show:
        for done, total in redact_documents(paths, out, redactor):
            show(Progress("redact", done, total))
    counts = dict(sorted(redactor.counts.items()))
    if as_json:
        click.echo(json.dumps({"counts": counts}))
    else:
        click.echo(f"{sum(counts.values())} values taken out; the result is in {out}", err=True)


def _spans(policy: Policy, detector: Detector) -> None:
    """What the policy would take out of each line's text, as spans in code points; never a value."""
    from troth.redact.finding import Finder

    finder = Finder(detector, policy)
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        found = [
            {"start": s.start, "end": s.end, "label": policy.label(s.kind), "kind": s.kind}
            for s in finder.find(content_of(line, number))
        ]
        click.echo(json.dumps({"spans": found}))


@redact.command()
@click.argument("source_path", metavar="IN", type=click.Path(exists=True, path_type=Path))
@click.argument("output", metavar="OUT", type=click.Path(file_okay=False, path_type=Path))
@click.option("--source", required=True, help="Where the data set comes from; written into the manifest.")
@click.option("--licence", "--license", required=True, help="Under which licence, as an SPDX identifier or a name.")
@click.option("--policy", "policy_path", type=_POLICY, help="training (the default), vendor, or a policy file in YAML.")
@click.option("--consent", type=_OLD_FILE, help='JSON Lines {"subject", "consent", "granted"}; needs --subject-field.')
@click.option("--subject-field", help="The field that names the subject of a row. It is not written to the output.")
@click.option("--consent-flag", help="The field of a row that holds its consent: true, or the consent's id.")
@click.option("--no-consent-needed", metavar="REASON", help="Why nobody has to be asked; written into the manifest.")
@click.option("--name", help="Name of the data set; the default is the name of OUT. Pseudonyms differ between names.")
@click.option("--format", "format_", type=click.Choice(["parquet", "jsonl"]), default="parquet", show_default=True)
@click.option(
    "--labelled",
    type=_OLD_FILE,
    help='A sample with every value marked, JSON Lines {"text", "spans": [{"start", "end", "label"}]}: a second bound.',
)
@TIER
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--shard-rows", type=click.IntRange(1), default=5_000, show_default=True, help="Rows of a shard.")
@click.option("--key", type=_FILE, help="32 secret bytes for pseudonyms; made when missing. Default: OUT.pseudonym-key")
@click.option("--signing-key", type=_FILE, help="Ed25519 key in PEM; made when missing. Default: OUT.signing-key.pem")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest's content as JSON, and no progress.")
def dataset(as_json: bool, signing_key: Path | None, **options: Any) -> None:
    """Turn the JSON Lines file or directory IN into the training-safe data set OUT with manifest and report."""
    from troth.redact.dataset import redact_dataset
    from troth.redact.manifest import LocalSigner
    from troth.redact.report import as_text

    output: Path = options["output"]
    options["key"] = options["key"] or _beside(output, ".pseudonym-key")
    signing_key = signing_key or _beside(output, ".signing-key.pem")
    with _fresh(options["key"], signing_key):
        job = _job(options)
        signer = LocalSigner(load_signing_key(signing_key))
        with _bar(hidden=as_json) as progress:
            predicate = redact_dataset(job, signer, progress)
    _beside(output, ".public-key").write_text(signer.public_key.hex() + "\n")
    click.echo(json.dumps(predicate) if as_json else as_text(predicate).rstrip("\n"))


@contextmanager
def _fresh(*paths: Path) -> Iterator[None]:
    """Key files made within a run that is refused go again; a run that is killed keeps them, so that it can resume."""
    from troth.kernel.errors import TrothError

    made = [path for path in paths if not path.exists()]
    try:
        yield
    except TrothError:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _job(options: dict[str, Any]) -> DatasetJob:
    from datetime import UTC, datetime

    from troth.redact.dataset import DatasetJob

    output: Path = options["output"]
    return DatasetJob(
        source_path=options["source_path"],
        output=output,
        name=options["name"] or output.resolve().name,
        source=options["source"],
        licence=options["licence"],
        policy=_policy(options["policy_path"]),
        gate=_gate(options),
        detector=loader(options["tier"]),
        root_key=root_key(options["key"]),
        format=options["format_"],
        workers=options["workers"],
        shard_rows=options["shard_rows"],
        labelled=options["labelled"],
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _gate(options: dict[str, Any]) -> ConsentGate:
    """Exactly one way to know of consent. Raises Invalid."""
    from troth.kernel.errors import Invalid
    from troth.redact.consent import ConsentFlag, NoSubjects, read_register

    ways = [name for name in ("consent", "consent_flag", "no_consent_needed") if options[name]]
    if len(ways) != 1:
        raise Invalid(
            "Say how consent is known: one of --consent, --consent-flag, --no-consent-needed.", field="consent"
        )
    if options["consent"]:
        if not options["subject_field"]:
            raise Invalid("--consent needs --subject-field.", field="subject_field")
        return read_register(options["consent"], options["subject_field"])
    if options["consent_flag"]:
        return ConsentFlag(options["consent_flag"], options["subject_field"])
    return NoSubjects(options["no_consent_needed"])


@redact.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--public-key", required=True, type=_OLD_FILE, help="Ed25519 public key, 64 hex digits in a file.")
def check(directory: Path, public_key: Path) -> None:
    """Check the manifest of DIRECTORY, offline: signature, every file, nothing besides."""
    from troth.redact.manifest import verify_manifest

    manifest = verify_manifest(directory, read_public_key(public_key))
    click.echo(f"{len(manifest.files)} files hold; root {manifest.root}")


def _beside(output: Path, suffix: str) -> Path:
    output = output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    return output.with_name(output.name + suffix)


@contextmanager
def _bar(*, hidden: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on standard error; plain silence when it is hidden or that is no terminal."""
    if hidden or not sys.stderr.isatty():
        yield lambda _: None
        return
    with ExitStack() as stack:
        bars: dict[str, Any] = {}

        def show(progress: Any) -> None:
            bar = bars.get(progress.step)
            if bar is None:
                stack.close()  # the step before this one is done
                made = click.progressbar(
                    length=progress.total, label=f"{progress.step:<8}", file=sys.stderr, show_eta=True
                )
                bar = bars[progress.step] = stack.enter_context(made)
            bar.length = progress.total
            bar.update(progress.done - bar.pos)

        yield show
