"""What `make test` runs side by side."""

from pathlib import Path

import pytest

from tests import lanes
from tests.lanes import NICER, TIMED, Manners, lane, rank

ROOT = Path(__file__).resolve().parents[2]
GAP = "tests/integration/test_gap.py"


def test_all_that_is_named_is_there() -> None:
    assert [path for path in {*lanes._TIMED, *lanes._EACH_ALONE, *lanes._ORDER} if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/unit/test_rules.py::test_a[1-2]", "tests/unit/test_rules.py"),
        ("tests/contract/test_claim.py::test_a[localstack]", TIMED),
        (f"{GAP}::test_a[localstack-lose_levels]", TIMED),
        (f"{GAP}::test_a[ministack-lose_levels]", f"{GAP}::test_a[ministack-lose_levels]"),
        ("tests/integration/test_recovery.py::test_a[daemon]", TIMED),
        ("tests/fault/test_sample.py::test_a", TIMED),
        (
            "tests/contract/test_claim.py::test_a[ministack-localstacks]",
            "tests/contract/test_claim.py ministack",
        ),
        ("tests/contract/test_claim.py::test_a[memory]", "tests/contract/test_claim.py"),
    ],
)
def test_what_shares_a_module_and_an_emulator_shares_a_lane(test: str, expected: str) -> None:
    assert lane(test) == expected


def test_long_lanes_begin_first() -> None:
    tests = [
        "tests/unit/test_rules.py::test_a",
        "tests/contract/test_claim.py::test_a[ministack]",
        "tests/integration/test_calls.py::test_a",
        f"{GAP}::test_a[ministack-lose_levels]",
        "tests/terraform/test_terraform.py::test_a",
        "tests/contract/test_claim.py::test_a[localstack]",
        "tests/integration/test_readiness.py::test_a[ministack]",
    ]

    assert sorted(tests, key=rank) == tests[::-1]


def test_a_process_gives_way_once_and_not_to_what_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr("os.nice", given.append)
    manners = Manners()

    manners.before("tests/integration/test_recovery.py::test_a")
    assert given == []
    for _ in range(2):
        manners.before("tests/contract/test_claim.py::test_a[localstack]")
    assert given == [NICER]
