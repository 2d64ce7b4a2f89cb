"""What ``HEADCOUNT_WORKER_ID`` may stand for."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from headcount.aws import UnavailableError
from headcount.kcl import worker_id as module
from headcount.kcl.worker_id import WorkerId, worker_id
from tests.integration.waiting import patience

TASK = "158d1c8083dd49d6b527399fd6414f5c"
ARN = f"arn:aws:ecs:us-west-2:111122223333:task/default/{TASK}"


@pytest.fixture(params=[{"TaskARN": ARN}])
def metadata(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An endpoint as ECS has one per container."""
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", patience(10))
    body = json.dumps(request.param).encode()

    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/v4/abc/task" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v4/abc"
        server.shutdown()


def test_unset_it_is_random_and_names_the_host() -> None:
    first, second = worker_id(None), worker_id(None)
    assert first.name.startswith(f"{socket.gethostname()}-")
    assert first != second
    assert not first.exclusive


def test_a_given_one_must_be_claimed() -> None:
    assert worker_id("blue") == WorkerId("blue", exclusive=True)


def test_a_container_has_its_own() -> None:
    assert worker_id("container-id") == WorkerId(socket.gethostname(), exclusive=False)


def test_an_ecs_task_has_its_own(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", metadata)
    assert worker_id("ecs-task-id") == WorkerId(TASK, exclusive=False)


def test_outside_ecs_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    with pytest.raises(UnavailableError, match="works in an ECS task only"):
        worker_id("ecs-task-id")


@pytest.mark.parametrize("metadata", [{"Cluster": "default"}, []], indirect=True)
def test_an_answer_without_the_id_is_told(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", metadata)
    with pytest.raises(UnavailableError, match="does not say this task's id"):
        worker_id("ecs-task-id")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://local host/x", "http://[bad"])
def test_an_endpoint_that_is_not_there_is_told(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", endpoint)
    with pytest.raises(UnavailableError, match="does not say this task's id"):
        worker_id("ecs-task-id")
