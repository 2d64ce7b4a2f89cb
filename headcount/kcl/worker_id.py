"""The KCL worker id of a supervisor: random, given, or its container's; docs/adr/0001-kcl-mode-and-worker-ids.md."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import urllib.request
from dataclasses import dataclass

from headcount.aws import UnavailableError

CONTAINER_ID = "container-id"
ECS_TASK_ID = "ecs-task-id"

_METADATA = "ECS_CONTAINER_METADATA_URI_V4"  # set by the ECS agent in every container of a task
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class WorkerId:
    """A worker id; ``exclusive``: nothing but a claim keeps a second live process from having it too."""

    name: str
    exclusive: bool


def worker_id(setting: str | None) -> WorkerId:
    """What ``HEADCOUNT_WORKER_ID`` stands for; raises `UnavailableError` where ECS doesn't say the task's id."""
    if setting is None:
        return WorkerId(f"{socket.gethostname()}-{secrets.token_hex(6)}", exclusive=False)
    if setting == CONTAINER_ID:
        return WorkerId(socket.gethostname(), exclusive=False)  # the engine's promise, unless somebody set it
    if setting == ECS_TASK_ID:
        return WorkerId(_ecs_task_id(), exclusive=False)
    return WorkerId(setting, exclusive=True)


def _ecs_task_id() -> str:
    base = os.environ.get(_METADATA, "")
    if not base.startswith("http://"):
        raise UnavailableError(f"HEADCOUNT_WORKER_ID={ECS_TASK_ID} works in an ECS task only: {_METADATA} is not set.")
    try:
        with urllib.request.urlopen(f"{base}/task", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (http, as checked)
            return str(json.load(answer)["TaskARN"]).rpartition("/")[2]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"ECS does not say this task's id at {base}/task: {error}.") from error
