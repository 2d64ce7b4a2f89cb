"""The S3 bucket of the snapshots: that it is there, and how `setup` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from headcount.aws import UnavailableError, explained

if TYPE_CHECKING:
    from headcount.aws import Aws

_ABSENT = {"404", "NoSuchBucket"}
_HOME = "us-east-1"  # the one region that must not be named as a bucket's place


def verify_bucket(aws: Aws, name: str) -> None:
    """Raise `UnavailableError` unless the bucket is there and may be listed."""
    try:
        is_there = _is_there(aws, name)
    except (BotoCoreError, ClientError) as error:
        raise explained(error, f"S3 bucket {name}") from error
    if not is_there:
        raise UnavailableError(
            f"S3 bucket {name} does not exist. Check HEADCOUNT_MAP_BUCKET, or make it with: python -m headcount setup"
        )


def make_bucket(aws: Aws, name: str) -> bool:
    """Make the bucket where it is missing; whether it was. Raises botocore's errors."""
    if _is_there(aws, name):
        return False
    place: dict[str, Any] = {}
    if aws.region_name != _HOME:
        place["CreateBucketConfiguration"] = {"LocationConstraint": aws.region_name}
    aws.s3.create_bucket(Bucket=name, **place)
    return True


def _is_there(aws: Aws, name: str) -> bool:
    try:
        aws.s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return False
        raise
    return True
