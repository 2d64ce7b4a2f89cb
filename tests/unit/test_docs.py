"""The docs say what the code does: settings, metrics, exit codes, and whatever one names of the other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headcount.kcl.daemon import MEANINGS
from headcount.metrics import GROUPS
from headcount.settings import reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("headcount", "consumer", "level_aggregator", "pruner", "game_map")

PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "build" for part in page.relative_to(ROOT).parts)
)
SOURCES = sorted(
    source
    for folder in (*PACKAGES, "tests")
    for suffix in ("*.py", "*.java")
    for source in (ROOT / folder).rglob(suffix)
    if source != Path(__file__)
)

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
RULES_IN_WORDS = re.compile(r"\brules?\s+(\d+(?:(?:,\s+|\s+and\s+|\s+to\s+)\d+)*)", re.IGNORECASE)
RULES_IN_BRACKETS = re.compile(r"(?<!\w)\[(\d(?:, \d)*)\]")  # how rules.py writes them
INVARIANT = re.compile(r"\bI(\d)\b")
DOC_NAMED = re.compile(r"\bdocs/[\w/.-]+\.(?:md|svg)\b")
NAMED_IN = "|".join([*PACKAGES, "tests", "requirements"])
SOURCE_NAMED = re.compile(rf"`((?:{NAMED_IN})/[\w/-]+\.\w+)`")
EXIT_CODE = re.compile(r"^EXIT_\w+(?:: \w+)? = (\d+)$", re.MULTILINE)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def exposed_names() -> Iterator[str]:
    """Names of all metrics as Prometheus sees them; of a histogram the name without its suffixes."""
    for group in GROUPS:
        registry = CollectorRegistry()
        group(registry)
        for family in registry.collect():
            yield f"{family.name}_total" if family.type == "counter" else family.name


def anchors(page: Path) -> set[str]:
    """What a link into the page may name after its ``#``."""
    headings = HEADING.findall(FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rules_named(source: Path) -> set[int]:
    text = source.read_text("utf-8")
    found = RULES_IN_WORDS.findall(text)
    if source == ROOT / "headcount" / "rules.py":
        found += RULES_IN_BRACKETS.findall(text)
    return {int(number) for numbers in found for number in re.findall(r"\d+", numbers)}


def test_configuration_holds_exactly_the_reference() -> None:
    page = (DOCS / "configuration.md").read_text("utf-8")
    table = page.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    assert table == reference(), "put what headcount.settings.reference() returns between the two comments"


def test_every_metric_is_documented() -> None:
    documented = re.findall(r"^\| `(headcount_\w+)` \|", (DOCS / "metrics.md").read_text("utf-8"), re.MULTILINE)
    assert len(documented) == len(set(documented)), "a metric has two rows"
    assert set(documented) == set(exposed_names())


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{relative(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{relative(page)} links to {link}: no such heading"


def test_every_rule_and_invariant_that_code_names_exists() -> None:
    contract = (DOCS / "semantics.md").read_text("utf-8")
    rules = {int(number) for number in re.findall(r"^### Rule (\d+)\.", contract, re.MULTILINE)}
    invariants = set(re.findall(r"^- \*\*I(\d)\*\*", contract, re.MULTILINE))
    assert (rules, invariants) == (set(range(1, 10)), set("123456"))
    named = {source: rules_named(source) for source in SOURCES}
    assert rules & set().union(*named.values()), "the code names no rule: are they found at all?"
    for source in SOURCES:
        assert named[source] <= rules, f"{relative(source)} names a rule that semantics.md does not have"
        text = source.read_text("utf-8")
        assert set(INVARIANT.findall(text)) <= invariants, f"{relative(source)} names an invariant that is not there"


def test_every_doc_that_code_names_exists() -> None:
    for source in SOURCES:
        for name in DOC_NAMED.findall(source.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{relative(source)} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for name in SOURCE_NAMED.findall(page.read_text("utf-8")):
        assert (ROOT / name).exists(), f"{relative(page)} names {name}"


def test_every_record_has_its_number_once() -> None:
    numbers = [int(page.name[:4]) for page in sorted((DOCS / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_exit_code_is_documented() -> None:
    codes = set(MEANINGS) | {int(code) for source in SOURCES for code in EXIT_CODE.findall(source.read_text("utf-8"))}
    page = (DOCS / "operations.md").read_text("utf-8")
    documented = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE) for code in cell.split(",")}
    assert codes <= documented
