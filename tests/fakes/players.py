"""PlayerState in memory, with its stream."""

from collections.abc import Callable, Iterator, Sequence
from zlib import crc32

import orjson

from headcount.model import LevelEvent, PlayerRow
from headcount.rules import rank
from headcount.tables.players import PlayerTable
from tests.fakes.hooks import AFTER, BEFORE, Hook, no_hook


class MemoryPlayers(PlayerTable):
    """Passes ``tests/contract/test_player_table.py``. ``stream``: what the table's stream got, per player in order."""

    def __init__(self, hook: Hook = no_hook) -> None:
        self.name = "PlayerState"
        self.rows: dict[str, PlayerRow] = {}
        self.stream: list[tuple[str, bytes]] = []
        self.applied: list[LevelEvent] = []
        self._hook = hook

    def apply(self, event: LevelEvent) -> PlayerRow | None:
        """As the real one."""
        self._hook("players.apply", BEFORE)
        row = self.rows.get(event.player)
        if row is not None and rank(row) >= rank(event):
            return row
        self.applied.append(event)
        self._change(event.player, PlayerRow(event.level, event.at))
        self._hook("players.apply", AFTER)
        return None

    def apply_all(self, events: Sequence[LevelEvent]) -> list[PlayerRow | None]:
        """As the real one."""
        return [self.apply(event) for event in events]

    def get(self, player: str) -> PlayerRow | None:
        """As the real one."""
        return self.rows.get(player)

    def idle(
        self, cutoff: int, segment: int, segments: int, on_page: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[str, PlayerRow]]:
        """As the real one, of one page."""
        on_page()
        for player, row in list(self.rows.items()):
            if row.at < cutoff and crc32(player.encode()) % segments == segment:
                yield player, row

    def all(self) -> Iterator[tuple[str, PlayerRow]]:
        """As the real one."""
        yield from list(self.rows.items())

    def delete(self, player: str, row: PlayerRow) -> bool:
        """As the real one."""
        if self.rows.get(player) != row:
            return False
        self._change(player, None)
        return True

    def _change(self, player: str, after: PlayerRow | None) -> None:
        images = {"OldImage": _image(player, self.rows.get(player)), "NewImage": _image(player, after)}
        self.stream.append((player, orjson.dumps({"dynamodb": images})))
        if after is None:
            del self.rows[player]
        else:
            self.rows[player] = after


def _image(player: str, row: PlayerRow | None) -> dict[str, dict[str, str]]:
    """An image as the streams adapter hands it over: empty where there is no row."""
    if row is None:
        return {}
    return {"playerId": {"S": player}, "levelId": {"S": row.level}, "lastUpdated": {"N": str(row.at)}}
