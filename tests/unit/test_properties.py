"""The properties file of the KCL daemon."""

from dataclasses import replace

import pytest

from headcount.kcl.properties import DaemonConfig, as_file, properties

CONFIG = DaemonConfig(
    stream="enriched-good",
    application="headcount-consumer",
    worker_id="host-1",
    command=("/usr/bin/python", "-m", "consumer.worker", "enriched-good@1"),
    region="eu-west-1",
    kinesis_endpoint="http://127.0.0.1:4566",
    dynamodb_endpoint="http://127.0.0.1:8000",
    initial_position="TRIM_HORIZON",
    failover_seconds=10,
    poll_milliseconds=500,
    stall_seconds=300,
    fan_out=False,
)


def test_what_the_config_names() -> None:
    made = properties(CONFIG)

    assert made["streamName"] == "enriched-good"
    assert made["applicationName"] == "headcount-consumer"
    assert made["workerId"] == "host-1"
    assert made["executableName"] == "/usr/bin/python -m consumer.worker enriched-good@1"
    assert made["regionName"] == "eu-west-1"
    assert (made["kinesisEndpoint"], made["dynamoDBEndpoint"]) == ("http://127.0.0.1:4566", "http://127.0.0.1:8000")
    assert made["initialPositionInStream"] == "TRIM_HORIZON"
    assert (made["failoverTimeMillis"], made["idleTimeBetweenReadsInMillis"]) == ("10000", "500")


def test_a_read_is_bounded_for_the_daemons_heap_and_by_what_a_tables_stream_gives() -> None:
    assert properties(CONFIG)["maxRecords"] == "2000"
    table = replace(CONFIG, stream="arn:aws:dynamodb:eu-west-1:123456789012:table/PlayerState/stream/2026")
    assert properties(table)["maxRecords"] == "1000"


@pytest.mark.parametrize(("fan_out", "mode"), [(False, "POLLING"), (True, "FANOUT")])
def test_records_are_asked_for_or_pushed(fan_out: bool, mode: str) -> None:
    assert properties(replace(CONFIG, fan_out=fan_out))["retrievalMode"] == mode


def test_idle_shards_have_a_heartbeat_and_the_mode_fails_over_fast() -> None:
    made = properties(CONFIG)

    assert made["callProcessRecordsEvenForEmptyRecordList"] == "true"
    assert made["clientVersionConfig"] == "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"
    assert made["metricsLevel"] == "NONE"


@pytest.mark.parametrize("seconds", [1, 1.5, 10, 300])
def test_intervals_follow_the_failover_time(seconds: float) -> None:
    made = properties(replace(CONFIG, failover_seconds=seconds))

    assert int(made["failoverTimeMillis"]) == round(seconds * 1000)
    assert 0 < int(made["leaseAssignmentIntervalMillis"]) < int(made["failoverTimeMillis"])


@pytest.mark.parametrize("part", ["my python", "tab\t", "", " ", "line\n"])
def test_a_command_that_the_kcl_would_split_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="splits a worker's command at white space"):
        properties(replace(CONFIG, command=("python", part)))


def test_the_file_is_in_javas_format() -> None:
    made = as_file(
        {"a": "1", "path": r"C:\python", "arn": "arn:aws:dynamodb:x:1:table/t/stream/2026-01-01T00:00:00.000"}
    )

    assert made.splitlines() == [
        "a = 1",
        r"path = C:\\python",
        "arn = arn:aws:dynamodb:x:1:table/t/stream/2026-01-01T00:00:00.000",
    ]
    assert made.endswith("\n")


def test_all_values_are_text_of_one_line() -> None:
    for key, value in properties(CONFIG).items():
        assert value == value.strip() != ""
        assert "\n" not in key + value
