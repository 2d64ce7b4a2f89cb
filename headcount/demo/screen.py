"""The demo's live screen: a picture of one `Snapshot`, or a line of text where there is no terminal."""

import io
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

State = Literal["starting", "up", "ready", "down", "restarting"]
_STYLES = {"starting": "yellow", "up": "cyan", "ready": "green", "down": "bold red", "restarting": "magenta"}
_SIDE_WIDTH = 39
_HEADER_HEIGHT, _MOVES_HEIGHT, _BORDERS = 2, 7, 2


# A step of the start-up: its name, whether it is done, how many seconds it took or has taken until now.
Step = tuple[str, bool, float]
# A row of Transitions: its time as it is to be shown, from, to (None: entered or left the game), how many.
Move = tuple[str, str | None, str | None, int]


class Service(NamedTuple):
    """The health of one service's process."""

    state: State
    pid: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All the screen shows; None: not known yet."""

    elapsed: float = 0.0
    total: float = 0.0
    phase: str = ""
    map: str = ""  # its address, once it can be looked at
    steps: Sequence[Step] = ()
    levels: Mapping[str, int] = field(default_factory=dict)  # players; empty until the first count is there
    moves: Sequence[Move] = ()  # the latest transitions, newest first
    sent: int = 0
    per_second: float = 0.0
    players: int | None = None
    writes_per_event: float | None = None  # writes to DynamoDB per level event
    lag_seconds: float | None = None  # how far the counts are behind the events
    services: Mapping[str, Service] = field(default_factory=dict)
    kills: int = 0
    cutoff_age_seconds: float | None = None  # in event time
    held_back: str = ""  # why pruning waits; empty if it doesn't


def restore_terminal() -> None:
    """Leave the live screen in whatever state it is: for a process that is about to be killed."""
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[?1049l\x1b[?25h")  # the main screen, and its cursor
        sys.stdout.flush()


class Screen:
    """Shows snapshots while it is entered: live on a terminal, else a line every `every_seconds` and at a new phase."""

    def __init__(self, console: Console | None = None, every_seconds: float = 5.0) -> None:
        self._console = console or Console()
        self._every_seconds = every_seconds
        self._live = Live(console=self._console, screen=True, auto_refresh=False) if self._console.is_terminal else None
        self._last, self._next_line = Snapshot(), 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()  # and with it goes the alternate screen with all that was on it
            self._console.print(render(self._last, 24), height=24)

    def show(self, snapshot: Snapshot) -> None:
        """Show this from now on; four times a second is plenty."""
        before, self._last = self._last, snapshot
        news = snapshot.phase != before.phase
        if self._live:
            self._live.update(render(snapshot, self._console.height), refresh=True)
            return
        if snapshot.map != before.map:
            self._line(f"The map is at {snapshot.map}")
        if news or time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._every_seconds
            self._line(status_line(snapshot))

    def _line(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)


def status_line(snapshot: Snapshot) -> str:
    """The snapshot in one line."""
    parts = [f"{_clock(snapshot)} {snapshot.phase}"]
    if snapshot.levels:
        fullest = max(snapshot.levels, key=lambda level: snapshot.levels[level])
        parts += [f"{name} {value}" for name, value in _figures(snapshot)]
        parts.append(f"fullest {fullest} {snapshot.levels[fullest]}")
    else:
        parts += [f"{name} {seconds:.0f} s" for name, done, seconds in snapshot.steps if not done]
    return " | ".join(parts + [f"{name} {it.state}" for name, it in snapshot.services.items() if it.state != "ready"])


def render(snapshot: Snapshot, height: int) -> RenderableType:
    """The snapshot as a picture of this height, as wide as the console."""
    root, body = Layout(), Layout()
    if snapshot.levels:
        rows = height - _HEADER_HEIGHT - _MOVES_HEIGHT - _BORDERS
        main = Panel(_levels(snapshot.levels, rows), title="Fullest levels", title_align="left")
        below = [Layout(Panel(_moves(snapshot), title="Latest moves", title_align="left"), size=_MOVES_HEIGHT)]
    else:
        main, below = Panel(_steps(snapshot), title="Starting", title_align="left"), []
    body.split_row(Layout(main), Layout(Panel(_side(snapshot), title="Services", title_align="left"), size=_SIDE_WIDTH))
    root.split_column(Layout(_header(snapshot), size=_HEADER_HEIGHT), body, *below)
    return root


def recorded(snapshot: Snapshot, width: int = 80, height: int = 24) -> Console:
    """The picture on paper; `export_text` and `export_svg` of what is returned take it from there."""
    console = Console(file=io.StringIO(), record=True, width=width, height=height, color_system="truecolor")
    console.print(render(snapshot, height), height=height)
    return console


def render_svg(snapshot: Snapshot, width: int = 100, height: int = 28) -> str:
    """The picture as SVG, for a README."""
    return recorded(snapshot, width, height).export_svg(title="make demo")


def _header(snapshot: Snapshot) -> RenderableType:
    line = Text.assemble((" Headcount ", "bold reverse"), "  ", _clock(snapshot), "  ", (snapshot.phase, "bold"))
    line.no_wrap, line.overflow = True, "ellipsis"
    below = Table.grid(padding=(0, 1), expand=True)
    below.add_column(ratio=1)
    below.add_column(no_wrap=True)
    address = Text.assemble("map ", (snapshot.map, "bold underline")) if snapshot.map else Text()
    below.add_row(ProgressBar(total=snapshot.total or 1, completed=snapshot.elapsed), address)
    return Group(line, below)


def _levels(levels: Mapping[str, int], rows: int) -> RenderableType:
    fullest = sorted(levels.items(), key=lambda item: (-item[1], item[0]))[:rows]
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=30)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1, min_width=10)
    for level, count in fullest:
        table.add_row(Text(level), str(count), Bar(max(fullest[0][1], 1), 0, max(count, 0), color="green"))
    return table


def _moves(snapshot: Snapshot) -> RenderableType:
    return _grid(
        (
            Text(when, "dim"),
            Text(str(players), justify="right"),
            _one_line(f"{source or '(entered)'} → {target or '(left)'}"),
        )
        for when, source, target, players in snapshot.moves[: _MOVES_HEIGHT - _BORDERS]
    )


def _steps(snapshot: Snapshot) -> RenderableType:
    return _grid(
        (Text("✓" if done else "…", "green"), Text(name), Text(f"{seconds:.1f} s", "dim", justify="right"))
        for name, done, seconds in snapshot.steps
    )


def _side(snapshot: Snapshot) -> RenderableType:
    rows = (
        (Text(name), Text(state, _STYLES[state]), _one_line(note or str(pid or ""), "dim"))
        for name, (state, pid, note) in snapshot.services.items()
    )
    return Group(_grid(rows, kept=2), "", _grid((Text(name, "dim"), Text(value)) for name, value in _figures(snapshot)))


def _figures(snapshot: Snapshot) -> list[tuple[str, str]]:
    held_back = f", waits: {snapshot.held_back}" if snapshot.held_back else ""
    return [
        ("players", _known(snapshot.players, "")),
        ("events", f"{snapshot.sent:,} ({snapshot.per_second:.0f}/s)"),
        ("writes/event", _known(snapshot.writes_per_event, "", ".3f")),
        ("lag", _known(snapshot.lag_seconds, " s", ".1f")),
        ("kills", str(snapshot.kills)),
        ("cutoff", _known(snapshot.cutoff_age_seconds, " s ago", ".0f") + held_back),
    ]


def _grid(rows: Iterable[tuple[RenderableType, ...]], *, kept: int = 1) -> Table:
    table = Table.grid(padding=(0, 1))
    for _ in range(kept):
        table.add_column(no_wrap=True)  # which also says that the other columns are narrowed first
    for row in rows:
        table.add_row(*row)
    return table


def _one_line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _known(value: float | None, unit: str, shape: str = "") -> str:
    return "?" if value is None else f"{value:{shape}}{unit}"


def _clock(snapshot: Snapshot) -> str:
    return "/".join("{:02d}:{:02d}".format(*divmod(int(t), 60)) for t in (snapshot.elapsed, snapshot.total))
