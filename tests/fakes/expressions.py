"""DynamoDB's condition and update expressions, as far as Headcount writes them, compiled once per text.

Grammar by the DynamoDB developer guide ("Condition and filter expressions", "Update expressions"): OR binds weaker than
AND, AND weaker than NOT; SET with a plain value or ``a + b``, ADD of numbers, REMOVE. Anything else is a `SyntaxError`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]
Condition = Callable[[Item, Mapping[str, str], Mapping[str, Value]], bool]
Operand = Callable[[Item, Mapping[str, str], Mapping[str, Value]], Value | None]
Update = Callable[[Item, Mapping[str, str], Mapping[str, Value]], Item]

_TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),+-])|([#:A-Za-z_][\w.]*))")
_COMPARISONS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SECTIONS = ("SET", "ADD", "REMOVE")


def comparable(value: Value) -> tuple[str, Any]:
    """A value in an order of its type; numbers as numbers."""
    ((kind, content),) = value.items()
    return kind, Decimal(content) if kind == "N" else content.encode() if kind == "S" else content


class _Reader:
    """The tokens of one expression, from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, at = text, [], 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise SyntaxError(f"{text!r} at {at}")
            self._tokens.append(match.group(1) or match.group(2))
            at = match.end()
        self._at = 0

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.next
        if not token or (expected and token not in expected):
            raise SyntaxError(f"{self._text!r}: {token!r} instead of {' or '.join(expected) or 'more'}")
        self._at += 1
        return token

    def takes(self, token: str) -> bool:
        if self.next.upper() != token:
            return False
        self._at += 1
        return True


def _operand(reader: _Reader) -> Operand:
    token = reader.take()
    if token.startswith(":"):
        return lambda _item, _names, values: values[token]
    if token.startswith("#"):
        return lambda item, names, _values: item.get(names[token])
    return lambda item, _names, _values: item.get(token)


def _compared(left: Operand, symbol: str, right: Operand) -> Condition:
    compare = _COMPARISONS[symbol]

    def holds(item: Item, names: Mapping[str, str], values: Mapping[str, Value]) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        if one is None or other is None:
            return symbol == "<>"
        (kind, a), (other_kind, b) = comparable(one), comparable(other)
        return bool(compare(a, b)) if kind == other_kind else symbol == "<>"

    return holds


def _function(reader: _Reader, name: str) -> Condition:
    reader.take("(")
    operand = _operand(reader)
    if name == "begins_with":
        reader.take(",")
        prefix = _operand(reader)
        reader.take(")")

        def begins(item: Item, names: Mapping[str, str], values: Mapping[str, Value]) -> bool:
            whole, start = operand(item, names, values), prefix(item, names, values)
            return whole is not None and start is not None and whole["S"].startswith(start["S"])

        return begins
    reader.take(")")
    wanted = name == "attribute_exists"
    return lambda item, names, values: (operand(item, names, values) is not None) is wanted


def _term(reader: _Reader) -> Condition:
    if reader.takes("NOT"):
        inner = _term(reader)
        return lambda *state: not inner(*state)
    if reader.takes("("):
        inner = _any(reader)
        reader.take(")")
        return inner
    if reader.next in {"attribute_exists", "attribute_not_exists", "begins_with"}:
        return _function(reader, reader.take())
    left = _operand(reader)
    return _compared(left, reader.take(*_COMPARISONS), _operand(reader))


def _all(reader: _Reader) -> Condition:
    terms = [_term(reader)]
    while reader.takes("AND"):
        terms.append(_term(reader))
    return terms[0] if len(terms) == 1 else lambda *state: all(term(*state) for term in terms)


def _any(reader: _Reader) -> Condition:
    terms = [_all(reader)]
    while reader.takes("OR"):
        terms.append(_all(reader))
    return terms[0] if len(terms) == 1 else lambda *state: any(term(*state) for term in terms)


@lru_cache(maxsize=1000)
def condition(text: str) -> Condition:
    """Whether an item (empty: there is none) fulfils ``text``, given names and values."""
    reader = _Reader(text)
    whole = _any(reader)
    if reader.next:
        raise SyntaxError(f"{text!r}: {reader.next!r} is left over")
    return whole


@lru_cache(maxsize=1000)
def update(text: str) -> Update:
    """What an item is after ``text``, given names and values; the item itself stays as it is."""
    reader = _Reader(text)
    steps: list[tuple[str, str, Operand | None]] = []
    while reader.next:
        section = reader.take(*_SECTIONS)
        while True:
            target = reader.take()
            if section == "SET":
                reader.take("=")
            steps.append((section, target, None if section == "REMOVE" else _operand(reader)))
            if not reader.takes(","):
                break

    def updated(item: Item, names: Mapping[str, str], values: Mapping[str, Value]) -> Item:
        after = dict(item)
        for section, target, operand in steps:
            name = names[target] if target.startswith("#") else target
            value = operand(item, names, values) if operand is not None else None
            if value is None:
                after.pop(name, None)
            elif section == "ADD":
                total = Decimal(item.get(name, {"N": "0"})["N"]) + Decimal(value["N"])
                after[name] = {"N": str(total)}
            else:
                after[name] = value
        return after

    return updated
