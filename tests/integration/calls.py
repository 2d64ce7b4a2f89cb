"""What a call to AWS must be allowed: IAM actions, and on which resources (pure).

By AWS's service authorization reference for DynamoDB, Kinesis and S3, by "Using IAM with DynamoDB transactions", by
"IAM security policies with PartiQL for DynamoDB", and by "Required permissions for Amazon S3 API operations".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from game_map.publication import DECISION
from game_map.snapshots import FILES

ACCOUNT = "account"  # for what names no resource
KCL_INDEX = "LeaseOwnerToLeaseKeyIndex"

_STREAM, _CONSUMER = "events_stream", "events_stream_consumer"
_TABLES = ("player_table", "level_table", "transitions_table", "progress_table", "history_table", "dead_letter_table")
_TABLE_STREAMS = ("player_table_stream", "transitions_table_stream")
_BUCKET, _OBJECTS = "snapshot_bucket", "snapshot_objects"
_APPLICATIONS = {"consumer": "consumer", "level_aggregator": "level-aggregator"}
_KCL_TABLES = {
    "": "lease_table",
    "-CoordinatorState": "coordinator_table",
    "-WorkerMetricStats": "worker_metrics_table",
}
_INDEX = "lease_table_index"
RESOURCES = frozenset(
    {_STREAM, _CONSUMER, *_TABLES, *_TABLE_STREAMS, *_KCL_TABLES.values(), _INDEX, _BUCKET, _OBJECTS, ACCOUNT}
)

# A transaction is no action of IAM's: each part needs what the same write or read by itself would need.
_PARTS = {
    "Update": "UpdateItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}

# Nor is a batch of statements: each needs what its verb says, on its table.
_UPDATE = re.compile(r'UPDATE "(?P<table>[^"]+)" ')

# S3 names no operation: method and path make it, and a query would make it another one.
_S3 = re.compile(r"(?P<method>[A-Z]+) /(?P<bucket>[^/?]+)(?:/(?P<key>[^?]+))?")
_OF_BUCKET = {"HEAD": "ListBucket", "PUT": "CreateBucket"}
_OF_OBJECT = {"GET": "GetObject", "PUT": "PutObject"}


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """An IAM action that a service may make, or has made, on a resource."""

    service: str
    resource: str
    action: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} by {self.service}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to AWS; ``target``: ``<API>_<version>.<operation>``, of REST ``<API>:<method> <path>``."""

    service: str
    target: str
    body: Mapping[str, Any]


class Names:
    """The resources behind the names in calls, by the settings in ``environment``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._resources = {environment[f"HEADCOUNT_{name.upper()}"]: name for name in (_STREAM, *_TABLES)}
        self._kcl = {
            f"{environment['HEADCOUNT_APPLICATION']}-{application}{ending}": (service, resource)
            for service, application in _APPLICATIONS.items()
            for ending, resource in _KCL_TABLES.items()
        }
        self._bucket = environment.get("HEADCOUNT_MAP_BUCKET")
        self._objects = {environment.get("HEADCOUNT_MAP_PREFIX", "") + name for name in (*FILES, DECISION)}

    def permissions(self, call: Call) -> set[Permission]:
        """All that ``call`` needs; a resource that no policy of that service may name says whose it is."""
        rest, _, asked = call.target.partition(":")
        api, _, operation = call.target.partition(".")
        match rest if asked else api.partition("_")[0]:
            case "DynamoDB":
                found = self._tables(call, operation)
            case "DynamoDBStreams":
                found = iter([(f"dynamodb:{operation}", self._table_stream(call.body))])
            case "Kinesis":
                found = ((f"kinesis:{operation}", resource) for resource in self._stream(call))
            case "s3":
                found = iter([self._s3(asked)])
            case _:
                found = iter([(call.target, ACCOUNT)])
        return {Permission(call.service, resource, action) for action, resource in found}

    def _tables(self, call: Call, operation: str) -> Iterator[tuple[str, str]]:
        body = call.body
        if "TransactItems" in body:
            for item in body["TransactItems"]:
                for part, content in item.items():
                    yield f"dynamodb:{_PARTS[part]}", self._named(call.service, content["TableName"])
        elif "Statements" in body:
            yield from (self._statement(call.service, statement["Statement"]) for statement in body["Statements"])
        elif "RequestItems" in body:
            for table in body["RequestItems"]:
                yield f"dynamodb:{operation}", self._named(call.service, table)
        elif "TableName" in body:
            table = self._named(call.service, body["TableName"])
            index = body.get("IndexName")
            if index is not None:  # the index alone: AWS asks for nothing on its table
                table = _INDEX if (table, index) == ("lease_table", KCL_INDEX) else f"index {index} of {table}"
            yield f"dynamodb:{operation}", table
            if body.get("Tags"):
                yield "dynamodb:TagResource", table
        else:
            yield f"dynamodb:{operation}", ACCOUNT

    def _statement(self, service: str, text: str) -> tuple[str, str]:
        update = _UPDATE.match(text)
        return ("dynamodb:PartiQLUpdate", self._named(service, update["table"])) if update else (text, ACCOUNT)

    def _table_stream(self, body: Mapping[str, Any]) -> str:
        if "StreamArn" in body:
            table = body["StreamArn"].split("/")[1]
            return self._resources.get(table, f"table {table}") + "_stream"
        return "unknown table's stream" if "ShardIterator" in body else ACCOUNT

    def _s3(self, asked: str) -> tuple[str, str]:
        """``asked``: method and path, the bucket first in it."""
        named = _S3.fullmatch(asked)
        if named is None:
            return f"s3:{asked}", ACCOUNT
        method, bucket, key = named["method"], named["bucket"], named["key"]
        is_ours = bucket == self._bucket
        if key is None:
            return f"s3:{_OF_BUCKET.get(method, method)}", _BUCKET if is_ours else f"unknown bucket {bucket}"
        is_one = is_ours and unquote(key) in self._objects
        return f"s3:{_OF_OBJECT.get(method, method)}", _OBJECTS if is_one else f"unknown object {bucket}/{key}"

    def _stream(self, call: Call) -> Iterator[str]:
        body = call.body
        named = [body[key] for key in ("StreamName", "StreamARN") if key in body]
        if named:
            yield self._named(call.service, named[0])
        if "ConsumerARN" in body or ("ConsumerName" in body and call.target.endswith(".DescribeStreamConsumer")):
            yield self._consumer(call.service, body)
        elif not named:
            # An iterator or a token names none: there is but one.
            yield _STREAM if {"ShardIterator", "NextToken"} & body.keys() else ACCOUNT

    def _consumer(self, service: str, body: Mapping[str, Any]) -> str:
        """Which ends a stream's ARN: ``…/consumer/<KCL application>:<birth>``."""
        name = body.get("ConsumerName") or body["ConsumerARN"].rpartition("/")[2].partition(":")[0]
        return _CONSUMER if self._named(service, name) == _KCL_TABLES[""] else f"unknown consumer {name}"

    def _named(self, service: str, name: str) -> str:
        name = name.rpartition("/")[2]  # an ARN will do, too
        owner, table = self._kcl.get(name, ("", ""))
        if owner:
            return table if owner == service else f"{table} of {owner}"
        return self._resources.get(name, f"unknown {name}")
