"""The bodies of the API's answers, made once per look for all who ask."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from game_map.board import MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from game_map.board import Blur, Board, Move


class UnknownLevelError(LookupError):
    """LevelState has no such level."""


class Answers:
    """What a board says, as JSON's objects; see ``docs/map.md`` for what each field means."""

    def __init__(self, board: Board, blur: Blur) -> None:
        self.board, self._blur = board, blur

    def levels(self) -> dict[str, Any]:
        """Counts of the levels that have players, fullest first."""
        crowd = self.board.crowd
        return {**self.head(), "total": self._blur.total(crowd), "levels": self.counts(crowd)}

    def level(self, level: str, minutes: int) -> dict[str, Any]:
        """One level with its moves in and out. Raises `UnknownLevelError`."""
        if level not in self.board.players:
            raise UnknownLevelError(level)
        moves = self._moves(minutes)
        return {
            **self.head(),
            "id": level,
            "players": self._blur.players(max(0, self.board.players[level])),
            "minutes": minutes,
            "in": told({move: count for move, count in moves.items() if move[1] == level}),
            "out": told({move: count for move, count in moves.items() if move[0] == level}),
        }

    def transitions(self, minutes: int) -> dict[str, Any]:
        """All moves of the last ``minutes``, the one under way among them."""
        return {**self.head(), "minutes": minutes, "transitions": told(self._moves(minutes))}

    def counts(self, players: Mapping[str, int]) -> list[dict[str, Any]]:
        """Levels with their counts, ``players`` null where there are few; those in no order that would tell more."""
        told = [{"id": level, "players": self._blur.players(count)} for level, count in players.items()]
        return [one for one in told if one["players"] is not None] + sorted(
            (one for one in told if one["players"] is None), key=lambda one: str(one["id"])
        )

    def change(self, changed: Mapping[str, int]) -> dict[str, Any]:
        """What a stream tells: the levels whose count is another one now, and the total."""
        return {**self.head(), "total": self._blur.total(self.board.crowd), "levels": self.counts(changed)}

    def _moves(self, minutes: int) -> dict[Move, int]:
        latest = max(self.board.moves, default=0)
        return self._blur.moves(self.board.moves_since(latest - (minutes - 1) * MINUTE))

    def head(self) -> dict[str, Any]:
        """What each answer begins with."""
        return {"version": self.board.version, "asOf": self.board.as_of, "lagSeconds": self.board.lag_seconds}


def told(moves: Mapping[Move, int]) -> list[dict[str, Any]]:
    """Moves in the shape of the snapshots: no ``from``: entered the game; no ``to``: left it."""
    return [
        {name: value for name, value in (("from", source), ("to", target), ("count", count)) if value is not None}
        for (source, target), count in moves.items()
    ]


def encoded(body: dict[str, Any]) -> tuple[bytes, str]:
    """A body and its entity tag."""
    content = orjson.dumps(body)
    return content, f'"{blake2b(content, digest_size=12).hexdigest()}"'
