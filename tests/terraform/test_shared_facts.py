"""What Terraform says of tables and settings is what the code says."""

import json
import re
from pathlib import Path

import pytest

from game_map.publication import DECISION
from game_map.snapshots import FILES
from headcount.settings import Settings, variable
from headcount.tables.schema import TableSchema, schemas

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "terraform"
MODULE = DEPLOY / "modules" / "headcount"

TABLES = json.loads((MODULE / "tables.json").read_text("utf-8"))
NAMES = json.loads((MODULE / "settings.json").read_text("utf-8"))
EVERY_SETTING = {variable(field) for field in Settings.model_fields}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in EVERY_SETTING:
        monkeypatch.delenv(name, raising=False)
    return Settings()


def test_tables_are_those_that_setup_makes(settings: Settings) -> None:
    made = {
        TableSchema(
            getattr(settings, f"{table}_table"),
            facts["partition_key"],
            facts["sort_key"],
            facts["ttl"],
            facts["stream"],
        )
        for table, facts in TABLES.items()
    }
    assert made == set(schemas(settings))


def test_every_setting_is_the_modules_the_users_or_refused() -> None:
    listed = [name for names in NAMES.values() for name in names]
    assert sorted(listed) == sorted(EVERY_SETTING)


def test_the_module_sets_what_it_says() -> None:
    named = set(re.findall(r"\b(?:HEADCOUNT_\w+|AWS_REGION)\b", (MODULE / "tasks.tf").read_text("utf-8")))
    assert named == set(NAMES["set_by_module"])


@pytest.mark.parametrize(
    "file",
    [*sorted(DEPLOY.rglob("*.tf")), ROOT / "docs" / "aws.md"],
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_every_setting_named_exists(file: Path) -> None:
    assert set(re.findall(r"\bHEADCOUNT_[A-Z_]+\b", file.read_text("utf-8"))) <= EVERY_SETTING


def test_the_objects_that_may_be_published_are_those_that_the_map_publishes() -> None:
    listed = re.search(r"snapshot_files = (\[.*\])", (MODULE / "iam.tf").read_text("utf-8"))
    assert listed is not None
    assert sorted(json.loads(listed[1])) == sorted([*FILES, DECISION])


def test_tables_names_by_default_are_those_of_the_settings(settings: Settings) -> None:
    block = re.search(r'variable "table_names".*?\n}\n', (MODULE / "variables.tf").read_text("utf-8"), re.DOTALL)
    assert block is not None
    assert dict(re.findall(r'(\w+)\s+= optional\(string, "(\w+)"\)', block[0])) == {
        table: getattr(settings, f"{table}_table") for table in TABLES
    }
