"""Which metrics an expression names, and which there are."""

import re
from collections.abc import Iterator
from functools import cache

from prometheus_client import CollectorRegistry

from headcount.metrics import GROUPS

PROMETHEUS_OWN = {"up", "ALERTS"}

_NO_METRIC = (
    r'"(?:[^"\\]|\\.)*"',  # strings
    r"\{[^}]*\}",  # matchers
    r"\[[^\]]*\]",  # ranges
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",  # lists of labels
)
_WORD = re.compile(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_KEYWORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "without"}


def named(expr: str) -> set[str]:
    """Every name in the expression that must be a metric's."""
    for pattern in _NO_METRIC:
        expr = re.sub(pattern, " ", expr)
    return set(_WORD.findall(expr)) - _KEYWORDS


@cache
def exposed() -> frozenset[str]:
    """What Headcount's processes expose, as Prometheus names it."""
    return frozenset(_exposed())


def _exposed() -> Iterator[str]:
    for group in GROUPS:
        registry = CollectorRegistry()
        group(registry)
        for family in registry.collect():
            if family.type == "counter":
                yield f"{family.name}_total"
            elif family.type == "histogram":
                yield from (f"{family.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
            else:
                yield family.name
