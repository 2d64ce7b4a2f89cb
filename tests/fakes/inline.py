"""An executor without threads: what it is given is done at once, in order."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InlineExecutor(Executor):
    """Does the work in ``submit``; an exception goes straight through, as a crash does."""

    def __init__(self, threads: int = 1) -> None:
        """As ``ThreadPoolExecutor``; there are none."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it now."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
