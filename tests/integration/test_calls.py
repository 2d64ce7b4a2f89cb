"""What a call to AWS must be allowed; needs no emulator."""

from typing import Any

import pytest

from tests.integration.calls import Call, Names, Permission

ENVIRONMENT = {
    "HEADCOUNT_EVENTS_STREAM": "events",
    "HEADCOUNT_PLAYER_TABLE": "players",
    "HEADCOUNT_LEVEL_TABLE": "levels",
    "HEADCOUNT_TRANSITIONS_TABLE": "moves",
    "HEADCOUNT_PROGRESS_TABLE": "progress",
    "HEADCOUNT_HISTORY_TABLE": "history",
    "HEADCOUNT_DEAD_LETTER_TABLE": "letters",
    "HEADCOUNT_APPLICATION": "game",
}
DYNAMODB, STREAMS, KINESIS = "DynamoDB_20120810", "DynamoDBStreams_20120810", "Kinesis_20131202"
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/{}"
EVENTS = "arn:aws:kinesis:us-east-1:000000000000:stream/events"
STREAM_ARN = ARN + "/stream/2026-01-01T00:00:00.000"
TRANSACTION = [
    {"Update": {"TableName": "levels"}},
    {"Put": {"TableName": "moves"}},
    {"ConditionCheck": {"TableName": ARN.format("progress")}},
    {"Delete": {"TableName": "players"}},
]


@pytest.mark.parametrize(
    ("service", "target", "body", "needs"),
    [
        ("consumer", f"{DYNAMODB}.UpdateItem", {"TableName": "players"}, {("dynamodb:UpdateItem", "player_table")}),
        (
            "consumer",
            f"{DYNAMODB}.Scan",
            {"TableName": ARN.format("letters")},
            {("dynamodb:Scan", "dead_letter_table")},
        ),
        ("consumer", f"{DYNAMODB}.Scan", {"TableName": "game-consumer"}, {("dynamodb:Scan", "lease_table")}),
        ("consumer", f"{DYNAMODB}.Scan", {"TableName": "nobodys"}, {("dynamodb:Scan", "unknown nobodys")}),
        (
            "consumer",
            f"{DYNAMODB}.Scan",
            {"TableName": "game-level-aggregator"},
            {("dynamodb:Scan", "lease_table of level_aggregator")},
        ),
        (
            "level_aggregator",
            f"{DYNAMODB}.PutItem",
            {"TableName": "game-level-aggregator-CoordinatorState"},
            {("dynamodb:PutItem", "coordinator_table")},
        ),
        (
            "consumer",
            f"{DYNAMODB}.Query",
            {"TableName": "game-consumer", "IndexName": "LeaseOwnerToLeaseKeyIndex"},
            {("dynamodb:Query", "lease_table_index")},
        ),
        (
            "consumer",
            f"{DYNAMODB}.Query",
            {"TableName": "players", "IndexName": "byLevel"},
            {("dynamodb:Query", "index byLevel of player_table")},
        ),
        (
            "level_aggregator",
            f"{DYNAMODB}.TransactWriteItems",
            {"TransactItems": TRANSACTION},
            {
                ("dynamodb:UpdateItem", "level_table"),
                ("dynamodb:PutItem", "transitions_table"),
                ("dynamodb:ConditionCheckItem", "progress_table"),
                ("dynamodb:DeleteItem", "player_table"),
            },
        ),
        (
            "consumer",
            f"{DYNAMODB}.BatchExecuteStatement",
            {"Statements": [{"Statement": 'UPDATE "players" SET a = ? WHERE b = ?'}] * 2},
            {("dynamodb:PartiQLUpdate", "player_table")},
        ),
        (
            "consumer",
            f"{DYNAMODB}.BatchExecuteStatement",
            {"Statements": [{"Statement": 'DELETE FROM "players"'}]},
            {('DELETE FROM "players"', "account")},
        ),
        (
            "pruner",
            f"{DYNAMODB}.BatchGetItem",
            {"RequestItems": {"players": {}, "progress": {}}},
            {("dynamodb:BatchGetItem", "player_table"), ("dynamodb:BatchGetItem", "progress_table")},
        ),
        (
            "setup",
            f"{DYNAMODB}.CreateTable",
            {"TableName": "levels", "Tags": [{"Key": "a", "Value": "b"}]},
            {("dynamodb:CreateTable", "level_table"), ("dynamodb:TagResource", "level_table")},
        ),
        ("setup", f"{DYNAMODB}.ListTables", {}, {("dynamodb:ListTables", "account")}),
        (
            "setup",
            f"{STREAMS}.DescribeStream",
            {"StreamArn": STREAM_ARN.format("players")},
            {("dynamodb:DescribeStream", "player_table_stream")},
        ),
        (
            "setup",
            f"{STREAMS}.DescribeStream",
            {"StreamArn": STREAM_ARN.format("levels")},
            {("dynamodb:DescribeStream", "level_table_stream")},
        ),
        (
            "level_aggregator",
            f"{STREAMS}.GetRecords",
            {"ShardIterator": "i"},
            {("dynamodb:GetRecords", "unknown table's stream")},
        ),
        ("consumer", f"{KINESIS}.GetRecords", {"ShardIterator": "i"}, {("kinesis:GetRecords", "events_stream")}),
        ("pruner", f"{KINESIS}.ListShards", {"StreamName": "events"}, {("kinesis:ListShards", "events_stream")}),
        ("pruner", f"{KINESIS}.ListShards", {"NextToken": "n"}, {("kinesis:ListShards", "events_stream")}),
        (
            "consumer",
            f"{KINESIS}.ListShards",
            {"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/other"},
            {("kinesis:ListShards", "unknown other")},
        ),
        (
            "consumer",
            f"{KINESIS}.DescribeStreamConsumer",
            {"StreamARN": EVENTS, "ConsumerName": "game-consumer"},
            {
                ("kinesis:DescribeStreamConsumer", "events_stream"),
                ("kinesis:DescribeStreamConsumer", "events_stream_consumer"),
            },
        ),
        (
            "consumer",
            f"{KINESIS}.RegisterStreamConsumer",
            {"StreamARN": EVENTS, "ConsumerName": "game-consumer"},
            {("kinesis:RegisterStreamConsumer", "events_stream")},
        ),
        (
            "consumer",
            f"{KINESIS}.SubscribeToShard",
            {"ConsumerARN": EVENTS + "/consumer/game-consumer:1764288000", "ShardId": "s"},
            {("kinesis:SubscribeToShard", "events_stream_consumer")},
        ),
        (
            "consumer",
            f"{KINESIS}.SubscribeToShard",
            {"ConsumerARN": EVENTS + "/consumer/game-level-aggregator:1764288000", "ShardId": "s"},
            {("kinesis:SubscribeToShard", "unknown consumer game-level-aggregator")},
        ),
        ("consumer", "monitoring:POST /", {}, {("monitoring:POST /", "account")}),
    ],
)
def test_what_a_call_must_be_allowed(
    service: str, target: str, body: dict[str, Any], needs: set[tuple[str, str]]
) -> None:
    """Another service's table is told from one's own, an index and a stream from their table."""
    found = Names(ENVIRONMENT).permissions(Call(service, target, body))
    assert found == {Permission(service, resource, action) for action, resource in needs}
