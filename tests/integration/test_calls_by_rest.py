"""What a call to S3 must be allowed, which is its method and its path; needs no emulator."""

import pytest

from tests.forwarding import call_of
from tests.integration.calls import Call, Names, Permission
from tests.integration.test_calls import ENVIRONMENT

WITH_SNAPSHOTS = {**ENVIRONMENT, "HEADCOUNT_MAP_BUCKET": "snapshots", "HEADCOUNT_MAP_PREFIX": "live/"}


@pytest.mark.parametrize(
    ("asked", "action", "resource"),
    [
        ("HEAD /snapshots", "s3:ListBucket", "snapshot_bucket"),
        ("PUT /snapshots", "s3:CreateBucket", "snapshot_bucket"),
        ("PUT /another", "s3:CreateBucket", "unknown bucket another"),
        ("PUT /snapshots?policy", "s3:PUT /snapshots?policy", "account"),
        ("GET /", "s3:GET /", "account"),
        ("PUT /snapshots/live/publication.json", "s3:PutObject", "snapshot_objects"),
        ("GET /snapshots/live%2Flevel_information.json", "s3:GetObject", "snapshot_objects"),
        ("DELETE /snapshots/live/transition_information.json", "s3:DELETE", "snapshot_objects"),
        ("PUT /snapshots/publication.json", "s3:PutObject", "unknown object snapshots/publication.json"),
        ("PUT /another/live/publication.json", "s3:PutObject", "unknown object another/live/publication.json"),
        (
            "PUT /snapshots/live/publication.json?tagging",
            "s3:PUT /snapshots/live/publication.json?tagging",
            "account",
        ),
    ],
)
def test_what_a_call_must_be_allowed(asked: str, action: str, resource: str) -> None:
    """Three objects are the map's; a query makes another call of it, which nobody is allowed."""
    found = Names(WITH_SNAPSHOTS).permissions(Call("game_map", f"s3:{asked}", {}))
    assert found == {Permission("game_map", resource, action)}


def test_without_a_bucket_none_is_ours() -> None:
    found = Names(ENVIRONMENT).permissions(Call("setup", "s3:HEAD /snapshots", {}))
    assert found == {Permission("setup", "unknown bucket snapshots", "s3:ListBucket")}


def test_what_it_carries_is_an_object_whatever_that_looks_like() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=game_map/20260101/us-east-1/s3/aws4_request, Signature=x"
    headers = {"authorization": signed, "content-type": "application/json"}
    call = call_of("PUT", "/snapshots/live/publication.json?x", headers, b"no JSON")
    assert call == Call("game_map", "s3:PUT /snapshots/live/publication.json?x", {})
