"""The seeded players: they enter the campaign, play level after level, wander off and come back.

Time is event time alone, so the same sequence of ticks gives the same events. Dwell and silence scale with the idle
timeout, so that in one and a half timeouts players leave and some of them return.
"""

import heapq
from collections import deque
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from headcount.demo.tsv import APP_ID, OTHER_APP_ID, Event, Kind, Level, LevelContext, campaign, make_line

MAX_DELAY_MS = 2000
_MIX = {Kind.LEVEL: 0.80, Kind.NO_CONTEXT: 0.10, Kind.NULL_PLAYER: 0.04, Kind.NULL_LEVEL: 0.03, Kind.OTHER_APP: 0.03}
_KINDS, _KIND_SHARES = list(_MIX), list(_MIX.values())
# After a level: mostly the next one, sometimes the same again, a look back, a jump.
_STEPS = {1: 0.76, 0: 0.10, -1: 0.04, 2: 0.04, -4: 0.03, 5: 0.03}
_NEW_TO_THE_CAMPAIGN = 0.6
_BRIEF_LOOK = 0.08
_ENTERS_LATER = 0.6
_WANDERS_OFF = 0.12
_SHORT_BREAK = 0.3


@dataclass(slots=True)
class _Player:
    id: str
    browser: str
    level: int
    session: str
    brief: bool  # has a short look only, so that even a short run sees somebody leave and return
    playing: bool = False


class World:
    """Players at play; `tick` lets time pass and returns what they sent.

    Args:
        players: How many there are, present or not.
        levels: The campaign's length.
        seed: The same seed and the same ticks give the same events.
        idle_timeout_seconds: The scale of dwell times and silences.
        allowed_lateness_seconds: A silence that is to end in leaving also outlasts this.
        stable_keys: Partition by `domain_userid`; otherwise by a random key, Snowplow's default.
        disorder: The share of events delivered late, by up to `MAX_DELAY_MS`.
        duplicates: The share of records that repeat a recent one.
    """

    def __init__(
        self,
        players: int,
        levels: int,
        seed: int,
        idle_timeout_seconds: float = 60,
        *,
        allowed_lateness_seconds: float = 10,
        stable_keys: bool = False,
        disorder: float = 0.02,
        duplicates: float = 0.01,
    ) -> None:
        self._rng = Random(seed)
        self.levels: tuple[Level, ...] = campaign(levels, self._rng)
        self._idle_ms = idle_timeout_seconds * 1000
        self._leave_ms = (idle_timeout_seconds + allowed_lateness_seconds) * 1000
        self._stable_keys = stable_keys
        self._disorder = disorder
        self._duplicates = duplicates
        self._players = [self._newcomer() for _ in range(players)]
        self._active: list[_Player] = []
        self._agenda: list[tuple[int, int]] = []  # when, which player
        self._recent: deque[Event] = deque(maxlen=256)
        self._now: int | None = None

    @property
    def playing(self) -> int:
        """How many are at play at the last tick, as they themselves see it."""
        return len(self._active)

    def tick(self, now_ms: int, records: int) -> list[Event]:
        """What happens up to `now_ms`: exactly `records` records, spread evenly since the last tick, oldest first."""
        if self._now is None:
            self._now = now_ms
            self._agenda = [(now_ms + self._entry(player), i) for i, player in enumerate(self._players)]
            heapq.heapify(self._agenda)
        before = self._now
        self._now = max(before, now_ms)  # the wall clock may be set back; event time here never is
        events = [self._record(before + (self._now - before) * (i + 1) // records) for i in range(records)]
        self._advance(self._now)
        return events

    def _record(self, at: int) -> Event:
        self._advance(at)
        if self._recent and self._rng.random() < self._duplicates:
            repeated = self._rng.choice(self._recent)
            if at - repeated.at <= MAX_DELAY_MS:
                return replace(repeated, delay_ms=0)
        event = self._event(at)
        self._recent.append(event)
        return event

    def _event(self, at: int) -> Event:
        rng = self._rng
        player = rng.choice(self._active) if self._active else None
        kind = rng.choices(_KINDS, _KIND_SHARES)[0] if player else Kind.NO_CONTEXT
        browser = player.browser if player and kind is not Kind.NULL_PLAYER else self._uuid()
        context = self._context(player, kind) if player and kind is not Kind.NO_CONTEXT else None
        app_id = OTHER_APP_ID if kind is Kind.OTHER_APP else APP_ID
        event_id, template = self._uuid(), rng.getrandbits(8)
        return Event(
            player=context.user_id if context else None,
            level=context.level_slug if context else None,
            at=at,
            kind=kind,
            line=make_line(template, app_id=app_id, at=at, event_id=event_id, domain_userid=browser, context=context),
            partition_key=browser if self._stable_keys else self._uuid(),
            app_id=app_id,
            delay_ms=rng.randint(1, MAX_DELAY_MS) if rng.random() < self._disorder else 0,
        )

    def _context(self, player: _Player, kind: Kind) -> LevelContext:
        # Another app's player is elsewhere: a reader that mixes up the apps puts people into the wrong level.
        level = self._rng.choice(self.levels) if kind is Kind.OTHER_APP else self.levels[player.level]
        user_id = None if kind is Kind.NULL_PLAYER else player.id
        if kind is Kind.NULL_LEVEL:
            return LevelContext(user_id, None, None, level.world, player.session)
        return LevelContext(user_id, level.slug, level.name, level.world, player.session)

    def _advance(self, now: int) -> None:
        # Everything up to and including `now` is decided before an event of `now` is made: no player is ever in two
        # levels in the same millisecond, where order could not be told.
        while self._agenda and self._agenda[0][0] <= now:
            when, index = self._agenda[0]
            heapq.heapreplace(self._agenda, (when + self._decide(self._players[index]), index))

    def _decide(self, player: _Player) -> int:
        """What the player does next; returns for how many ms."""
        rng = self._rng
        if not player.playing:
            player.playing = True
            self._active.append(player)
            return self._dwell(player)
        if player.brief or rng.random() < _WANDERS_OFF:
            player.playing = False
            self._active.remove(player)
            return self._silence(player)
        player.level = self._next_level(player.level)
        player.session = self._hex(24)
        return self._dwell(player)

    def _next_level(self, level: int) -> int:
        target = level + self._rng.choices(list(_STEPS), list(_STEPS.values()))[0]
        # Who has finished the campaign replays some level.
        return max(target, 0) if target < len(self.levels) else self._rng.randrange(len(self.levels))

    def _entry(self, player: _Player) -> int:
        late = not player.brief and self._rng.random() < _ENTERS_LATER
        return int(self._idle_ms * self._rng.uniform(0, 0.5 if late else 0.05))

    def _dwell(self, player: _Player) -> int:
        if player.brief:
            return int(self._idle_ms * self._rng.uniform(0.05, 0.15))
        typical = self._idle_ms * 0.35 * self.levels[player.level].effort
        return max(1, int(typical * self._rng.lognormvariate(0, 0.5)))

    def _silence(self, player: _Player) -> int:
        if player.brief:
            player.brief = False
            return int(self._leave_ms * self._rng.uniform(1.07, 1.20))
        if self._rng.random() < _SHORT_BREAK:
            return int(self._idle_ms * self._rng.uniform(0.2, 0.8))  # a break: nobody may notice
        return int(self._leave_ms * self._rng.uniform(1.1, 2.5))

    def _newcomer(self) -> _Player:
        rng = self._rng
        # Most start the campaign now; the others go on from where an earlier day ended.
        saved = 0 if rng.random() < _NEW_TO_THE_CAMPAIGN else int(rng.expovariate(4 / len(self.levels)))
        level = min(saved, len(self.levels) - 1)
        return _Player(self._hex(24), self._uuid(), level, self._hex(24), brief=rng.random() < _BRIEF_LOOK)

    def _hex(self, digits: int) -> str:
        return f"{self._rng.getrandbits(4 * digits):0{digits}x}"

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))
