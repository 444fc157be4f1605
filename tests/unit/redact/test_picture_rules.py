"""What a policy says about pictures: read strictly, part of its digest, and never weaker than the installation's."""

import pytest

from troth.kernel.errors import Invalid
from troth.redact.picture_rules import PictureRules
from troth.redact.policy import parse_policy, shipped_text, vendor_policy
from troth.redact.strictness import combined

VENDOR = shipped_text("vendor")


def test_the_rules_of_a_policy_are_read_and_count_in_its_digest() -> None:
    policy = parse_policy(VENDOR + "pictures: {faces: fill, faces_in_edits: blur}\n")
    assert policy.pictures == PictureRules(faces="fill", faces_in_edits="blur")
    assert policy.pictures.for_edits().faces == "blur"
    assert policy.digest() != vendor_policy().digest()
    assert parse_policy(VENDOR + "pictures: {faces: blur}\n").digest() == vendor_policy().digest()


@pytest.mark.parametrize("rules", ["{faces: hide}", "{words: keep}", "{codes: keep}", "{plates: blur}", "[]"])
def test_what_is_no_rule_is_refused(rules: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_policy(VENDOR + f"pictures: {rules}\n")
    assert refusal.value.code == "policy-invalid"


def test_a_tenant_keeps_no_face_that_the_installation_takes_out() -> None:
    own = parse_policy(VENDOR + "pictures: {faces: keep, faces_in_edits: keep, words: blur}\n")
    held = combined(own, vendor_policy(), may_keep=False).pictures
    assert (held.faces, held.faces_in_edits, held.words) == ("blur", "keep", "blur")
    assert combined(own, vendor_policy(), may_keep=True).pictures.faces == "keep"
