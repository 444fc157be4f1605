"""`troth redact`: text and data sets, on this machine, without a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli.spans import TIER, loader, spans

if TYPE_CHECKING:
    from troth.redact.consent import ConsentGate
    from troth.redact.dataset import DatasetJob, Progress
    from troth.redact.detect import Detector
    from troth.redact.policy import Policy

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


redact.add_command(spans)


@redact.command()
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
def text(policy_path: Path | None, key: Path | None, only_spans: bool, tier: str, as_json: bool) -> None:
    """Redact standard input to standard output."""
    from troth.redact.text import redact as redact_text

    detector = loader(tier)()

    policy = _policy(policy_path)
    if only_spans:
        _spans(policy, detector)
        return
    source = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    result = redact_text(source, detector, policy, _root_key(key))
    if as_json:
        found = [{"start": s.start, "end": s.end, "kind": s.kind, "score": round(s.score, 3)} for s in result.spans]
        output = json.dumps({"text": result.text, "counts": result.counts, "spans": found}) + "\n"
    else:
        output = result.text
    sys.stdout.buffer.write(output.encode("utf-8", "surrogateescape"))


def _spans(policy: Policy, detector: Detector) -> None:
    """What the policy would take out of each line's text, as spans in code points; never a value."""
    from troth.kernel.errors import Malformed
    from troth.redact.detect import KINDS
    from troth.redact.policy import Action

    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            content = str(json.loads(line)["text"])
        except (ValueError, KeyError, TypeError):
            raise Malformed(f'Line {number} is not a JSON object with "text".', code="line-malformed") from None
        found = [
            {"start": s.start, "end": s.end, "label": KINDS[s.kind].label, "kind": s.kind}
            for s in detector.detect(content)
            if policy.action(s.kind) is not Action.KEEP
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
        signer = LocalSigner(_signing_key(signing_key))
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
        root_key=_root_key(options["key"]),
        format=options["format_"],
        workers=options["workers"],
        shard_rows=options["shard_rows"],
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
@click.argument("policy", type=_OLD_FILE)
@click.option("--json", "as_json", is_flag=True, help="Findings as a JSON list.")
def lint(policy: Path, as_json: bool) -> None:
    """Check that POLICY decides on every category of the taxonomy; exits with 1 and names what is missing."""
    from troth.redact.policy import lint as findings_of

    findings = findings_of(policy.read_text(encoding="utf-8"))
    if as_json:
        click.echo(json.dumps(findings))
    else:
        for finding in findings or ["The policy decides on every category."]:
            click.echo(finding)
    if findings:
        raise SystemExit(1)


@redact.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--public-key", required=True, type=_OLD_FILE, help="Ed25519 public key, 64 hex digits in a file.")
def check(directory: Path, public_key: Path) -> None:
    """Check the manifest of DIRECTORY, offline: signature, every file, nothing besides."""
    from troth.kernel.errors import Invalid
    from troth.redact.manifest import verify_manifest

    try:
        raw = bytes.fromhex(public_key.read_text(encoding="utf-8"))
    except ValueError:
        raise Invalid("The public key is not 64 hex digits.", field="public_key") from None
    manifest = verify_manifest(directory, raw)
    click.echo(f"{len(manifest.files)} files hold; root {manifest.root}")


def _beside(output: Path, suffix: str) -> Path:
    output = output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    return output.with_name(output.name + suffix)


def _secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a key file that only its owner can read; made when it is missing."""
    import os

    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(make())
    return path.read_bytes()


def _root_key(path: Path | None) -> bytes:
    import secrets

    def make() -> bytes:
        return secrets.token_bytes(32)

    return _secret_file(path, make) if path else make()


def _signing_key(path: Path) -> Any:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from troth.kernel.errors import Invalid

    def make() -> bytes:
        return Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    try:
        key = serialization.load_pem_private_key(_secret_file(path, make), None)
    except (ValueError, TypeError):
        raise Invalid("The signing key is not an Ed25519 key in PEM.", field="signing_key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("The signing key is not an Ed25519 key in PEM.", field="signing_key")
    return key


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
