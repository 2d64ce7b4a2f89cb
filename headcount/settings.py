"""Every setting, declared once, with its documentation beside its default.

Settings come from the environment: ``HEADCOUNT_…``, and AWS's own names where AWS has one. ``docs/configuration.md``
carries the table that `reference` makes; a test fails when the two differ.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "HEADCOUNT_"

TableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
MOST_SECONDS = 86_400
LEAST_STALL_WHERE_PUSHED = 90.0  # seconds; the KCL gives a subscription up that is silent for 60
MOST_CONSUMER_NAME = 128  # of Kinesis, for a stream's registered consumer: the KCL application's name
Seconds = Annotated[float, Field(ge=0.001, le=MOST_SECONDS, allow_inf_nan=False)]


def _not_blank(path: Path) -> Path:
    if not str(path).strip():
        raise ValueError("a path that is only blanks names no directory; leave it empty for the table")
    return path


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class InitialPosition(StrEnum):
    """Where a consumer without a checkpoint begins."""

    TRIM_HORIZON = "TRIM_HORIZON"
    LATEST = "LATEST"


class Settings(BaseSettings):
    """All settings of all services; a service ignores those that are not its own."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    aws_region: str | None = Field(
        None,
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the stream and the tables; unset: the region of the AWS profile.",
    )

    events_stream: TableName = Field("enriched-good", description="Kinesis stream with the enriched events (TSV).")
    player_table: TableName = Field("PlayerState", description="DynamoDB table PlayerState; must have a stream.")
    level_table: TableName = Field("LevelState", description="DynamoDB table LevelState.")
    transitions_table: TableName = Field("Transitions", description="DynamoDB table Transitions.")
    progress_table: TableName = Field("StreamProgress", description="DynamoDB table StreamProgress.")
    history_table: TableName = Field("LevelHistory", description="DynamoDB table LevelHistory, of the game map.")
    dead_letter_table: TableName = Field("DeadLetters", description="DynamoDB table for records that can't be read.")
    dead_letter_directory: Annotated[Path, AfterValidator(_not_blank)] | None = Field(
        None, description="Where set, dead letters are files in this directory instead of rows of the table."
    )
    dead_letter_retention_seconds: int = Field(
        2_592_000, ge=3600, le=315_360_000, description="How long the table keeps a dead letter; files stay."
    )
    poison_run_limit: int = Field(
        100,
        ge=0,
        le=1_000_000,
        description="More records in a row than that of one shard that can't be read stop the consumer; 0: no limit.",
    )
    poison_percent_limit: float = Field(
        50,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description=(
            "A larger share than that of one shard's records of one minute (of 100 or more) that can't be read stops "
            "the consumer; 0 or 100: no limit."
        ),
    )

    app_ids: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Comma-separated `app_id`s whose events count; empty: all apps."
    )
    context_schema: str = Field(
        "com.codecombat/level_context",
        pattern=r"^[a-zA-Z0-9_.-]+/[_-]*[a-zA-Z0-9][a-zA-Z0-9_-]*$",
        description="`vendor/name` of the level context; any version 1-x-x counts.",
    )
    player_field: str = Field("user_id", min_length=1, description="Field of the level context with the player's id.")
    level_field: str = Field("level_slug", min_length=1, description="Field of the level context with the level's id.")

    idle_timeout_seconds: Seconds = Field(
        300, description="A player without a level event for so long (event time) has left."
    )
    allowed_lateness_seconds: float = Field(
        10, ge=0, le=86_400, allow_inf_nan=False, description="Disorder within the pipeline that pruning waits for."
    )
    refresh_seconds: Seconds = Field(
        60, description="An event that only renews a player's row is written at most once in so long, per player."
    )
    prune_interval_seconds: Seconds = Field(30, description="Time between the pruner's passes.")
    prune_rate: float = Field(200, ge=1, le=100_000, description="Most deletes a second of one pruner.")
    max_silence_seconds: Seconds = Field(
        600, description="When no record arrives on the whole stream, pruning waits so long, then goes by the clock."
    )
    transitions_retention_seconds: int = Field(
        604_800, ge=3600, le=315_360_000, description="How long a minute's transitions are kept."
    )
    history_retention_seconds: int = Field(
        604_800, ge=3600, le=315_360_000, description="How long a minute's averages are kept; the map shows 7 days."
    )
    initial_position: InitialPosition = Field(
        InitialPosition.TRIM_HORIZON, description="Where a consumer without a checkpoint begins to read."
    )

    application: str = Field(
        "headcount",
        pattern=r"^[A-Za-z0-9_.-]{3,200}$",
        description="Prefix of the KCL's application names, and so of the tables that the KCL makes.",
    )
    worker_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.:/-]{1,120}$",
        description=(
            "Fixed KCL worker id, for faster restarts: only where one process at a time has it; a second holder is "
            "refused. `container-id`, `ecs-task-id`: what the platform keeps unique. Unset: random per process."
        ),
    )
    failover_seconds: float = Field(
        10, ge=1, le=300, description="A lease not renewed for so long is taken over by another worker."
    )
    poll_milliseconds: int = Field(500, ge=200, le=60_000, description="Pause between reads of one shard.")
    enhanced_fan_out: bool = Field(
        False,
        description="Kinesis pushes events to the consumer (enhanced fan-out), instead of being asked; it costs extra.",
    )
    start_timeout_seconds: int = Field(
        600, ge=5, le=3600, description="How long the KCL's start may take; a first start makes its tables."
    )
    stall_seconds: float = Field(
        300,
        ge=5,
        le=86_400,
        allow_inf_nan=False,
        description=(
            "A worker process that finished no batch, or a daemon that gave no sign of life, for so long is stuck: the "
            "daemon is restarted."
        ),
    )
    audit_interval_seconds: float = Field(
        900,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="Time between the level aggregator's live audits, which read all players and levels; 0: none.",
    )

    metrics_host: str = Field("127.0.0.1", description="Address for `/metrics`, `/healthz`, `/readyz`.")
    level_metrics: int = Field(
        20, ge=0, le=1000, description="So many levels, the fullest ones, have a metric each; all others share one."
    )
    metrics_port: int = Field(9464, ge=0, le=65_535, description="Port for them; 0: any free one.")
    map_host: str = Field("127.0.0.1", description="Address that the game map is served on.")
    map_port: int = Field(8080, ge=0, le=65_535, description="Port for it; 0: any free one.")
    map_origins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="Comma-separated origins whose pages may ask the map (CORS), `*`: any; empty: only its own.",
    )
    map_rate: float = Field(
        20, ge=0.1, le=100_000, allow_inf_nan=False, description="Requests a second that one address may make."
    )
    map_burst: int = Field(60, ge=1, le=1_000_000, description="Requests that it may make at once.")
    map_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="So many proxies of yours stand before the map, and say in X-Forwarded-For who asks.",
    )
    map_streams: int = Field(2500, ge=1, le=100_000, description="Most clients that are told changes as they come.")
    map_address_streams: int = Field(
        500, ge=1, le=100_000, description="Most of them to one address; a whole school may have one."
    )
    map_fewest: int = Field(
        0, ge=0, le=1_000_000, description="Numbers below that, but for 0, are hidden: they might tell of one person."
    )
    map_layout: Annotated[Path, AfterValidator(_not_blank)] | None = Field(
        None, description="JSON file with where levels lie on the map: docs/map.md; unset: the map finds places itself."
    )
    map_bucket: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="S3 bucket that snapshots of levels and transitions are published to; unset: none are.",
    )
    map_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9!_.*'()/-]{0,900}$", description="Before the snapshots' names in it, such as `live/`."
    )
    map_snapshot_seconds: float = Field(
        60, ge=1, le=43_200, allow_inf_nan=False, description="Time between two snapshots."
    )
    map_ops: bool = Field(
        default=False,
        description="The map shows `/ops`, what the writes cost: to all who can reach it, so not to the public.",
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="`json`, `console`, or `auto`: console on a terminal.")
    log_level: str = Field(
        "INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("app_ids", "map_origins"):
            raw = values.get(name)
            if isinstance(raw, str):
                values[name] = frozenset(part.strip() for part in raw.split(",") if part.strip())
        return values

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        named: dict[str, str] = {}
        tables = [field for field in type(self).model_fields if field.endswith("_table")]
        for field in tables:
            name = getattr(self, field)
            if name in named:
                pair = f"{variable(named[name])} and {variable(field)}"
                raise ValueError(f"{pair} are the same name, {name!r}: each table needs its own")
            named[name] = field
        return self

    @model_validator(mode="after")
    def _fields_differ(self) -> Self:
        if self.player_field == self.level_field:
            pair = f"{variable('player_field')} and {variable('level_field')}"
            raise ValueError(f"{pair} are the same field, {self.player_field!r}: a level's id is no player's")
        return self

    @model_validator(mode="after")
    def _fan_out_can_be_named_and_awaited(self) -> Self:
        most = MOST_CONSUMER_NAME - len("-consumer")
        if self.enhanced_fan_out and len(self.application) > most:
            raise ValueError(
                f"{variable('application')}={self.application!r} is of {len(self.application)} characters: with "
                f"{variable('enhanced_fan_out')} Kinesis bears {most}, as it names its consumer so"
            )
        if self.enhanced_fan_out and self.stall_seconds < LEAST_STALL_WHERE_PUSHED:
            raise ValueError(
                f"{variable('stall_seconds')}={self.stall_seconds:g} is too short with {variable('enhanced_fan_out')}: "
                f"a silent shard may say nothing for a minute; give {LEAST_STALL_WHERE_PUSHED:g} or more"
            )
        return self

    @property
    def idle_timeout_ms(self) -> int:
        """`idle_timeout_seconds` in ms."""
        return round(self.idle_timeout_seconds * 1000)

    @property
    def allowed_lateness_ms(self) -> int:
        """`allowed_lateness_seconds` in ms."""
        return round(self.allowed_lateness_seconds * 1000)

    @property
    def max_silence_ms(self) -> int:
        """`max_silence_seconds` in ms."""
        return round(self.max_silence_seconds * 1000)


def variable(name: str) -> str:
    """The environment variable of the setting that ``Settings`` calls ``name``."""
    return "AWS_REGION" if name == "aws_region" else PREFIX + name.upper()


def reference() -> str:
    """The table of all settings in Markdown, as ``docs/configuration.md`` carries it."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default in (None, "", frozenset()) else f"`{default}`"
        rows.append(f"| `{variable(name)}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"
