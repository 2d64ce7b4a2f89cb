"""The address of `/metrics`, `/healthz` and `/readyz`."""

import socket

import pytest

from headcount.aws import UnavailableError
from headcount.endpoints import Health, serve


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
