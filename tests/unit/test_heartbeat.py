"""The daemon's sign of life."""

import os
from pathlib import Path

import pytest

from headcount.kcl.heartbeat import FROZEN_SECONDS, Heartbeat
from tests.fakes.clock import Clock

TICK = 0.2


class _Watched:
    """A heartbeat, looked at as the supervisor does."""

    def __init__(self, file: Path) -> None:
        self.clock = Clock()
        self.heartbeat = Heartbeat(file, self.clock)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.clock.now += TICK
            self.heartbeat.look()

    def touch(self, at: float, content: bytes = b"") -> None:
        self.heartbeat.file.write_bytes(content)
        os.utime(self.heartbeat.file, (at, at))
        self.heartbeat.look()


@pytest.fixture
def watched(tmp_path: Path) -> _Watched:
    return _Watched(tmp_path / "heartbeat")


def test_silence_is_counted_from_the_start_then_from_the_last_touch(watched: _Watched) -> None:
    watched.pass_time(3)
    assert watched.heartbeat.silence == pytest.approx(3)
    assert not watched.heartbeat.has_begun

    watched.touch(5)
    assert watched.heartbeat.silence == 0
    assert (watched.heartbeat.has_begun, watched.heartbeat.has_started, watched.heartbeat.at) == (True, False, 5)

    watched.pass_time(60)
    assert watched.heartbeat.silence == pytest.approx(60)


def test_a_clock_that_jumps_makes_no_silence(watched: _Watched) -> None:
    watched.touch(1_000_000)
    watched.pass_time(1)
    watched.touch(5)

    assert watched.heartbeat.silence == 0


def test_the_kcl_has_started_once_the_file_said_so(watched: _Watched) -> None:
    watched.touch(5, b"started")
    assert watched.heartbeat.has_started
    watched.touch(6)
    assert watched.heartbeat.has_started


def test_a_new_daemon_has_given_no_sign_yet(watched: _Watched) -> None:
    watched.touch(5, b"started")
    watched.heartbeat.begin()

    assert not watched.heartbeat.has_begun
    assert not watched.heartbeat.has_started
    assert watched.heartbeat.file.read_bytes() == b""


def test_a_time_in_which_we_did_not_run_ourselves_is_no_silence(watched: _Watched) -> None:
    """A machine that slept: the daemon slept as well."""
    watched.touch(5)
    watched.pass_time(1)
    watched.clock.now += 100 * FROZEN_SECONDS
    watched.heartbeat.look()

    assert watched.heartbeat.silence == pytest.approx(1)


def test_a_file_that_is_gone_is_silence(watched: _Watched) -> None:
    watched.touch(5)
    watched.heartbeat.file.unlink()
    watched.pass_time(30)
    assert watched.heartbeat.silence == pytest.approx(30)

    watched.heartbeat.begin()
    assert watched.heartbeat.silence == 0
