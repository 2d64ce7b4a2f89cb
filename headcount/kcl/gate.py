"""What a service may have to say about whether its daemon shall run."""

from __future__ import annotations

from typing import Protocol


class Gate(Protocol):
    """Asked by the supervisor all the time: quick, and safe to ask from any thread."""

    def obstacle(self) -> str | None:
        """Why the daemon must not run now, for `/readyz`; None: it may."""

    def doubt(self) -> None:
        """The daemon has failed: it must not run until it was looked at again whether it may."""


class OpenGate(Gate):
    """Nothing stands in the way."""

    def obstacle(self) -> str | None:
        """Never any."""
        return None

    def doubt(self) -> None:
        """Nothing to look at."""
