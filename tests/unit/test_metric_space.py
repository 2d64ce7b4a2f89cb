"""Space for files that are written to by mmap is taken by plain writes, which fail where mmap kills."""

import errno
from pathlib import Path

import pytest

from headcount.metric_space import LEAST_BYTES, ReservedDict, reserve

FULL = Path("/dev/full")  # every write to it finds the disk full


def value_of(file: Path, key: str) -> float:
    found = ReservedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call] # it has no types
    return next(float(value) for name, value, _, _ in found if name.rstrip() == key)


def test_values_are_kept_beyond_the_first_block(tmp_path: Path) -> None:
    file, keys = tmp_path / "values.db", [f"{number:01000}" for number in range(100)]
    values = ReservedDict(str(file))
    for number, key in enumerate(keys):
        values.write_value(key, number, 0.0)  # type: ignore[no-untyped-call] # it has no types
    values.close()  # type: ignore[no-untyped-call] # likewise
    assert [value_of(file, key) for key in keys] == list(range(100))
    assert file.stat().st_size == 2 * LEAST_BYTES


def test_a_file_that_is_long_enough_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    file.write_bytes(b"x" * 10)
    reserve(file, 10)
    assert file.read_bytes() == b"x" * 10
    reserve(file, 12)
    assert file.read_bytes() == b"x" * 10 + bytes(2)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_without_space_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "values.db"
    file.symlink_to(FULL)
    with pytest.raises(OSError, match=r"No space left on device, .* free some, or set TMPDIR") as told:
        ReservedDict(str(file))
    assert told.value.errno == errno.ENOSPC
    assert told.value.filename == str(file)
