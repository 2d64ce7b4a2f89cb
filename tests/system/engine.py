"""The compose project as the container engine shows it, by its command line: whatever engine has that command."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 1800
UP_SECONDS = 600
HEALTHY_SECONDS = 180
SERVICES = ("consumer", "level_aggregator", "pruner", "game_map")


@dataclass(frozen=True)
class Ended:
    """How a container's process ended, and how long that took after it was asked to."""

    exit_code: int
    seconds: float


def docker(*arguments: str, seconds: float = 60, check: bool = True) -> str:
    """Run ``docker …`` in the project's root and return what it printed; raises `AssertionError` where it fails."""
    done = subprocess.run(
        ["docker", *arguments],  # noqa: S607 (the one that the PATH names)
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def compose(*arguments: str, seconds: float = 60) -> str:
    """Run ``docker compose …``, the profile ``demo`` included, so that its containers are seen too."""
    return docker("compose", "--profile", "demo", *arguments, seconds=seconds)


def scale() -> list[str]:
    """What ``SYSTEM_CONSUMERS`` asks for when the suite brings the project up itself."""
    return ["--scale", f"consumer={os.environ.get('SYSTEM_CONSUMERS', '1')}"]


def up() -> None:
    """Bring everything up, and wait until it is healthy."""
    compose("build", seconds=BUILD_SECONDS)
    compose("up", "--wait", "--quiet-pull", *scale(), seconds=UP_SECONDS)


def containers(service: str, *, running: bool = True) -> list[str]:
    """Ids of a service's containers; none if it is not up."""
    flags = ["--quiet"] if running else ["--quiet", "--all"]
    return compose("ps", *flags, service).split()


def inspect(container: str) -> dict[str, Any]:
    """All that the engine says of a container."""
    found: list[dict[str, Any]] = json.loads(docker("inspect", container))
    return found[0]


def health(container: str) -> str:
    """``healthy``, ``unhealthy``, ``starting``, or ``none``."""
    state = inspect(container)["State"]
    return str(state.get("Health", {}).get("Status", "none")) if state["Running"] else "stopped"


def variable(container: str, name: str) -> str:
    """A variable of the container's environment."""
    entries: list[str] = inspect(container)["Config"]["Env"]
    return dict(entry.split("=", 1) for entry in entries)[name]


def kill(container: str) -> None:
    """SIGKILL."""
    docker("kill", container)


def start(container: str) -> None:
    """Start it again, as a platform would."""
    docker("start", container)


def stop(container: str, seconds: int) -> Ended:
    """SIGTERM; the engine kills what has not ended after so long."""
    begun = time.monotonic()
    docker("stop", "--time", str(seconds), container, seconds=seconds + 30)
    took = time.monotonic() - begun
    return Ended(inspect(container)["State"]["ExitCode"], took)


def address(service: str, port: int) -> str:
    """Where a published port is reached from here."""
    return compose("port", service, str(port)).strip()


def page(container: str, path: str) -> str:
    """What a service answers on its metrics port, asked from inside its container."""
    return docker("exec", container, "python", "-m", "headcount.healthcheck", path, check=False)


def await_healthy(*services: str, seconds: float = HEALTHY_SECONDS) -> None:
    """Wait until every container of the services is healthy; raises `AssertionError` with what it says of itself."""
    deadline = time.monotonic() + seconds
    while True:
        states = {c: health(c) for service in services for c in containers(service, running=False)}
        if states and all(state == "healthy" for state in states.values()):
            return
        if time.monotonic() > deadline:
            told = {c: [state, page(c, "/readyz")] for c, state in states.items() if state != "healthy"}
            raise AssertionError(f"not healthy after {seconds} s: {told}")
        time.sleep(1)
