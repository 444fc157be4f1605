"""Chapter "attest": everything is checked offline, and each promise stands beside its evidence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from troth.cli.demo.narration import Narration
from troth.cli.demo.stage import Person, Stage


def attest(say: Narration, stage: Stage, owner: Person, operator: str, documents: dict[str, Path]) -> None:
    """Run the chapter. `documents`: what to verify offline, by name."""
    say.chapter("6 · attest", "A stranger needs the documents and one file of public keys; no network, no server.")
    trust = stage.shown / "troth.json"
    trust.write_bytes(stage.client().call("GET", "/.well-known/troth.json").content)
    documents = {**documents, "audit proof": _proof(stage, owner)}
    for name, path in documents.items():
        said = _verify(path, trust)
        say.expect(
            said.startswith("holds:"), f"troth verify {path.relative_to(stage.root)}  [dim]{said.splitlines()[0]}[/]"
        )
        del name
    _tampered(say, stage, documents["certificate"], trust)
    _promises(say, stage, operator)


def _proof(stage: Stage, owner: Person) -> Path:
    """The newest entry of the tenant's log with its proof."""
    client = stage.client(owner.session)
    entries = client.call("GET", "/v1/activity", {"limit": 50}).json()["entries"]
    index = next(entry["index"] for entry in entries if entry["operation"] == "erasure.sealed")
    path = stage.shown / "audit-proof.json"
    path.write_bytes(client.call("GET", f"/v1/activity/{index}/proof").content)
    return path


def _verify(path: Path, trust: Path) -> str:
    """`troth verify` in a process of its own, with an empty environment."""
    program = [
        sys.executable,
        "-c",
        "from troth.cli.main import main; main()",
        "verify",
        str(path),
        "--trust",
        str(trust),
    ]
    done = subprocess.run(program, env={}, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    return done.stdout or done.stderr


def _tampered(say: Narration, stage: Stage, certificate: Path, trust: Path) -> None:
    envelope = json.loads(certificate.read_text())
    payload = envelope["payload"]
    envelope["payload"] = payload[:100] + ("A" if payload[100] != "A" else "B") + payload[101:]
    forged = stage.root / "forged.json"
    forged.write_text(json.dumps(envelope))
    said = _verify(forged, trust)
    forged.unlink()
    say.expect(not said.startswith("holds:"), f"one changed character and it is refused  [dim]{said.strip()}[/]")


def _promises(say: Narration, stage: Stage, operator: str) -> None:
    with say.console.status("every check looks at the system and at something deliberately wrong"):
        table: dict[str, Any] = stage.client(operator).call("POST", "/v1/checks/runs", {}).json()
    (stage.shown / "promises.json").write_text(json.dumps(table, indent=2))
    say.table("134 promises", ("state", "how many"), table["counts"].items())
    kept = [row for row in table["data"] if row["state"] == "kept"]
    honest = all(run["result"] == "pass" and run["control"] == "fail" for row in kept for run in row["runs"])
    say.expect(
        honest and all(row["runs"] for row in kept), "nothing is green without a check and a failing known-bad control"
    )
    broken = [row["id"] for row in table["data"] if row["state"] == "not kept"]
    say.tell("not kept here, and said so", ", ".join(broken) or "none")
