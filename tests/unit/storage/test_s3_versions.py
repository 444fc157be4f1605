"""Signing of bucket requests against the example that AWS publishes; the rest is in tests/contracts/test_blobs.py."""

from __future__ import annotations

from datetime import UTC, datetime

from troth.storage.s3_versions import Signing


def test_the_published_example_of_query_signing() -> None:
    """Amazon S3 API reference, "Authenticating Requests: Using Query Parameters", the example with test.txt."""
    signing = Signing(
        "examplebucket.s3.amazonaws.com",
        "us-east-1",
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        expires=86400,
    )
    query = signing.presigned("GET", "/test.txt", {}, datetime(2013, 5, 24, tzinfo=UTC))
    assert query.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
