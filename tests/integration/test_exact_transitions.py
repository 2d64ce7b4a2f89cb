"""The demo with stable keys: even every single move is what the traffic says."""

import subprocess
import sys
from pathlib import Path

import orjson

RUN_SECONDS = 420
OPTIONS = "--players 60 --levels 6 --rate 80 --seconds 30 --idle-timeout 10 --stable-keys"


def test_transitions_equal_the_truth_move_by_move(tmp_path: Path) -> None:
    """No kills, one shard per player: there is one right answer, leaving and coming back included."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "headcount.demo", *OPTIONS.split(), "--json", str(report)]
    command += ["--logs", str(tmp_path / "logs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    told = orjson.loads(report.read_bytes())
    assert told["transitions_exact"] is True
    assert told["exact"] is True
    assert told["invariants"] == dict.fromkeys(("I1", "I2", "I3", "I4", "I5", "I6"), True)
    assert told["events"]["sent"] >= 2000
    assert sum(told["events"].values()) == 2 * told["events"]["sent"]
    assert told["exit_codes"] == {"consumer": 0, "level_aggregator": 0, "pruner": 0, "game_map": 0}
    assert told["processes_left"] == 0
