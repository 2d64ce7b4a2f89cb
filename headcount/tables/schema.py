"""How the tables are made: what `python -m headcount setup` does and Terraform does in AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headcount.settings import Settings


@dataclass(frozen=True)
class TableSchema:
    """A table: its keys (all strings), the attribute that expires a row, and whether it has a stream of both images."""

    name: str
    partition_key: str
    sort_key: str | None = None
    ttl: str | None = None
    stream: bool = False

    @property
    def key(self) -> list[str]:
        """The names of the key's attributes."""
        return [self.partition_key, *([self.sort_key] if self.sort_key else [])]

    def creation(self) -> dict[str, Any]:
        """Arguments for ``create_table``."""
        keys = [(self.partition_key, "HASH")] + ([(self.sort_key, "RANGE")] if self.sort_key else [])
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            "BillingMode": "PAY_PER_REQUEST",
        }
        if self.stream:
            arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        return arguments


def schemas(settings: Settings) -> list[TableSchema]:
    """The tables that ``settings`` name."""
    tables = [
        TableSchema(settings.player_table, "playerId", stream=True),
        TableSchema(settings.level_table, "levelId"),
        TableSchema(settings.transitions_table, "bucket", "transition", ttl="expiresAt", stream=True),
        TableSchema(settings.progress_table, "worker", ttl="expiresAt"),
        TableSchema(settings.history_table, "level", "minute", ttl="expiresAt"),
    ]
    if settings.dead_letter_directory is None:
        tables.append(TableSchema(settings.dead_letter_table, "record", "part", ttl="expiresAt"))
    return tables
