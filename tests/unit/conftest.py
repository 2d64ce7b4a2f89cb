"""What several units' tests need."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def own_logs() -> Iterator[None]:
    """Logs may be configured, as a service or a command does for its process; it is forgotten afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()  # a processor that ran before in this process bound its shard
    yield
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
