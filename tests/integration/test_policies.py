"""What a policy file is told that lacks something or allows too much; needs no emulator."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from pydantic import ValidationError

from tests.integration.calls import Permission
from tests.integration.policies import PATH, PolicyFile

READ = Permission("consumer", "events_stream", "kinesis:GetRecords")
LIST = Permission("consumer", "events_stream", "kinesis:ListShards")
WRITE = Permission("consumer", "player_table", "dynamodb:UpdateItem")
SCAN = Permission("pruner", "player_table", "dynamodb:Scan")
DELETE = Permission("pruner", "player_table", "dynamodb:DeleteItem")
MADE = {READ, LIST, WRITE, SCAN}
FILE: dict[str, Any] = {
    "services": {
        "consumer": [
            {
                "sid": "Read",
                "resource": "events_stream",
                "actions": [READ.action, LIST.action],
                "why": "It reads events.",
            },
            {"sid": "Write", "resource": "player_table", "actions": [WRITE.action], "why": "It writes rows."},
        ],
        "pruner": [
            {"sid": "Prune", "resource": "player_table", "actions": [SCAN.action, DELETE.action], "why": "It prunes."},
        ],
    },
    "rare": [
        {"service": "pruner", "resource": "player_table", "action": DELETE.action, "why": "Nobody leaves here."},
    ],
}
TEXT = json.dumps(FILE, indent=2) + "\n"


def test_a_file_that_fits_is_let_pass() -> None:
    file = PolicyFile(TEXT)
    assert file.missing(MADE) + file.unused(MADE) + file.slips() == []


def line_of(text: str, mark: str) -> int:
    """The only line with ``mark``."""
    [number] = [number for number, line in enumerate(text.splitlines(), 1) if mark in line]
    return number


@pytest.mark.parametrize("gone", [READ, LIST, SCAN], ids=str)
def test_an_action_taken_from_the_file_is_missed(gone: Permission) -> None:
    """At the line where it belongs."""
    text = json.dumps(_with(gone, add=False), indent=2) + "\n"
    [complaint] = PolicyFile(text).missing(MADE)
    at = line_of(text, {"consumer": '"sid": "Read"', "pruner": '"sid": "Prune"'}[gone.service]) + 2
    assert '"actions": [' in text.splitlines()[at - 1]
    assert complaint.startswith(f'{PATH}:{at}: add "{gone.action}" to the actions of ')
    assert complaint.endswith(f": {gone.service} called it on {gone.resource}")


def test_a_resource_without_a_statement_is_missed() -> None:
    new = Permission("pruner", "lease_table", "dynamodb:Scan")
    statement = '{"sid": "…", "resource": "lease_table", "actions": ["dynamodb:Scan"], "why": "…"}'
    at = line_of(TEXT, '"pruner": [')
    assert PolicyFile(TEXT).missing(MADE | {new}) == [f"{PATH}:{at}: add {statement}: pruner called it on lease_table"]


def test_an_action_put_into_the_file_is_found_unused() -> None:
    """At its line, with the entry that would explain it."""
    new = Permission("consumer", "player_table", "dynamodb:PutItem")
    text = json.dumps(_with(new, add=True), indent=2) + "\n"
    rare = '{"service": "consumer", "resource": "player_table", "action": "dynamodb:PutItem", "why": "…"}'
    assert PolicyFile(text).missing(MADE) == []
    [complaint] = PolicyFile(text).unused(MADE)
    at = f"{PATH}:{line_of(text, new.action)}"
    assert complaint == (
        f'{at}: remove "dynamodb:PutItem": consumer never called it on player_table; '
        f"or, if no run can make it do so, add to rare {rare}"
    )


def test_what_is_rare_must_be_rare_and_allowed() -> None:
    """The list of exceptions can't grow old."""
    entry = '{"service": "pruner", "resource": "player_table", "action": "dynamodb:DeleteItem", "why": "…"}'
    at = line_of(TEXT, '"service": "pruner"')
    assert PolicyFile(TEXT).unused(MADE | {DELETE}) == [f"{PATH}:{at}: remove from rare {entry}: the run made it"]
    text = json.dumps(_with(DELETE, add=False), indent=2) + "\n"
    at = line_of(text, '"service": "pruner"')
    assert PolicyFile(text).slips() == [f"{PATH}:{at}: remove from rare {entry}: no statement allows it"]


def test_the_file_says_each_thing_once_and_line_by_line() -> None:
    """Otherwise a complaint could not name a line."""
    double = _with(READ, add=True)
    double["services"]["consumer"][1]["sid"] = "Read"
    assert PolicyFile(json.dumps(double, indent=2) + "\n").slips() == [
        f"{PATH}: remove all but one: sid Read of consumer",
        f"{PATH}: remove all but one: kinesis:GetRecords on events_stream by consumer in services",
    ]
    assert PolicyFile(json.dumps(FILE)).slips() == [
        f"{PATH}: lay it out anew: python -m json.tool --indent 2 --no-ensure-ascii {PATH} {PATH}"
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [("actions", ["dynamodb:*"]), ("actions", []), ("resource", "*"), ("sid", "two words"), ("why", "")],
)
def test_a_statement_is_exact_and_explained(key: str, value: object) -> None:
    """No wildcard, no resource that nobody knows, no reason left out."""
    file = json.loads(TEXT)
    file["services"]["consumer"][0][key] = value
    with pytest.raises(ValidationError):
        PolicyFile(json.dumps(file))


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("HEADCOUNT_ENHANCED_FAN_OUT", True),
        ("HEADCOUNT_MAP_BUCKET", True),
        ("HEADCOUNT_MAP_PREFIX", False),
        ("HEADCOUNT_NOTHING", False),
    ],
)
def test_a_statement_may_wait_for_a_setting_that_can_be_off(name: str, does: bool) -> None:
    """Off, or unset."""
    file = json.loads(TEXT)
    file["services"]["consumer"][0]["only_with"] = name
    with nullcontext() if does else pytest.raises(ValidationError, match=name):
        PolicyFile(json.dumps(file))


def _with(permission: Permission, *, add: bool) -> dict[str, Any]:
    """The file with one action more or less."""
    file: dict[str, Any] = json.loads(TEXT)
    [statement] = [one for one in file["services"][permission.service] if one["resource"] == permission.resource]
    if add:
        statement["actions"].append(permission.action)
    else:
        statement["actions"].remove(permission.action)
    return file
