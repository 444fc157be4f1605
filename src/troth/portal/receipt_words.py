"""What was done with a request and its answer, in plain words."""

from __future__ import annotations

STEPS = {
    "vendor-admitted": "The vendor was admitted by its papers",
    "input-moderated": "What was asked was moderated",
    "picture-metadata-removed": "What stands beside the pixels of pictures was taken out",
    "pictures-covered": "Faces and personal words in pictures were covered",
    "values-withheld": "Personal values were withheld",
    "values-masked": "Personal values were replaced by their kind",
    "identity-replaced": "Names of the caller were replaced by a pseudonym",
    "translated": "The request was translated for a vendor that speaks chat",
    "values-restored": "Withheld values were put back into the answer",
    "output-moderated": "The answer was moderated",
}
MARKS = {
    "content-credentials": "signed with content credentials",
    "time-stamp": "with a time stamp",
    "watermark": "with a watermark in its pixels",
    "fingerprint": "known again by its looks",
}
