"""Signatures of webhooks: the published example of Standard Webhooks, and each part that is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac

from troth.governance.webhook_signing import fresh_secret, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000


def test_the_published_example() -> None:
    """From the specification's own tests (standard-webhooks, libraries): id, time, body and secret."""
    assert signed([SECRET], ID, AT, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_part_is_signed_and_each_secret_signs() -> None:
    other = fresh_secret()
    marks = {signed([SECRET], *part)["webhook-signature"] for part in ((ID, AT, BODY), ("x", AT, BODY),
             (ID, AT + 1000, BODY), (ID, AT, BODY + b" "))}  # fmt: skip
    assert len(marks) == 4
    both = signed([other, SECRET], ID, AT, BODY)["webhook-signature"].split(" ")
    assert both[1] in marks
    key = base64.b64decode(other.removeprefix("whsec_"))
    mac = hmac.new(key, b".".join((ID.encode(), b"1614265330", BODY)), hashlib.sha256).digest()
    assert (len(key), both[0]) == (32, f"v1,{base64.b64encode(mac).decode()}")
