"""The address of `/metrics`, `/healthz` and `/readyz`."""

import socket

import pytest

from headcount import healthcheck
from headcount.aws import UnavailableError
from headcount.endpoints import Health, serve
from tests.integration.waiting import patience


def test_a_port_that_was_bound_a_moment_ago_is_refused_in_one_line() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}.*HEADCOUNT_METRICS_PORT"):
            serve("127.0.0.1", port, lambda: b"", Health, Health)


def test_problems_fail_and_warnings_are_only_told() -> None:
    assert Health().response().status_code == 200
    assert Health(warnings=["look here"]).response().status_code == 200
    assert Health(problems=["broken"]).response().status_code == 503


def test_a_health_check_asks_the_service_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = serve("127.0.0.1", 0, lambda: b"x" * 200_000, Health, lambda: Health(problems=["no worker has begun yet"]))
    monkeypatch.setenv("HEADCOUNT_METRICS_PORT", str(port))
    monkeypatch.setattr(healthcheck, "TIMEOUT_SECONDS", patience(10))
    assert healthcheck.main("/healthz") == 0
    assert healthcheck.main("/readyz") == 1
    ok, failing = capsys.readouterr().out.splitlines()
    assert '"ok"' in ok
    assert "no worker has begun yet" in failing
    assert healthcheck.main("/nothing") == 1
    assert healthcheck.main("/metrics") == 0
    assert "x" * 200_000 in capsys.readouterr().out


def test_a_health_check_that_is_not_answered_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HEADCOUNT_METRICS_PORT", str(silent.getsockname()[1]))
        monkeypatch.setattr(healthcheck, "TIMEOUT_SECONDS", 0.05)
        assert healthcheck.main("/healthz") == 1
    monkeypatch.setattr(healthcheck, "TIMEOUT_SECONDS", patience(10))
    assert healthcheck.main("/healthz") == 1
    silence, refusal = capsys.readouterr().out.splitlines()
    assert "timed out" in silence
    assert "refused" in refusal
