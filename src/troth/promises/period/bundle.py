"""The report of a period as one file: a ZIP of columns, proofs and figures under one signed statement. Pure.

`period.json` is a DSSE envelope with an in-toto statement whose subjects are all other files by SHA-256. How to check
it without us: docs/how-to/period-report.md. The same files give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from troth.audit.verifier_page import NAME, verifier_page
from troth.kernel.clock import iso
from troth.kernel.signer import Signer
from troth.promises.period.building import REPORT
from troth.promises.runs import STATEMENT
from troth.vault.dsse import IN_TOTO, sign_envelope

PREDICATE = "urn:troth:period-bundle:v1"
SIGNED = "period.json"
MEDIA_TYPE = "application/zip"
_README = """Looks at the promises from {start} up to {end}.

Check it without a network, and without trusting who gave it to you:
  troth verify FILE --site TRUST        the command line; TRUST is /.well-known/troth.json from a source of your own
  {page}                         in a browser; drop this file on it and give the log's verifier key

report.json has the figures, runs/ every run of every check, log.json the entries and proofs that they hang on.
"""


def packed(files: Mapping[str, bytes], told: Mapping[str, Any], signer: Signer) -> bytes:
    """The bundle of the files of a report, with the offline page. `told`: who asked for it and when (`made_at`, ms)."""
    period = told["period"]
    readme = _README.format(start=iso(period["start"]), end=iso(period["end"]), page=NAME)
    whole = {**files, NAME: verifier_page(), "README.txt": readme.encode()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in whole.items()}
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())],
        "predicateType": PREDICATE,
        "predicate": {**told, "report": digests[REPORT]},
    }
    return zipped({**whole, SIGNED: sign_envelope(statement, IN_TOTO, signer)})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP file without times: names in order, deflated."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return target.getvalue()
