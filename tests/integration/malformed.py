"""Requests that can't be answered, as many different ones as are wanted: each to be refused, and to change nothing."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

PATHS = (
    b"/api/levels",
    b"/api/levels/forest",
    b"/api/transitions",
    b"/api/history",
    b"/api/stream",
    b"/api/layout",
    b"/",
)
METHODS = (b"POST", b"PUT", b"PATCH", b"DELETE", b"TRACE", b"BREW")
HOST = b"Host: x\r\n"
MOST_URL, MOST_HEADERS = 2048, 16_384  # bytes


class Malformed(NamedTuple):
    """``is_told``: it is answered with a status of 4xx; else the connection may be closed without an answer."""

    kind: str
    request: bytes
    is_told: bool


def malformed(seed: int, count: int) -> Iterator[Malformed]:
    """So many, of all kinds in turn."""
    dice = random.Random(seed)
    kinds = list(_KINDS.items())
    for number in range(count):
        kind, (make, is_told) = kinds[number % len(kinds)]
        yield Malformed(kind, make(dice), is_told)


def _letters(dice: random.Random, least: int, most: int) -> bytes:
    return bytes(dice.choices(b"abcdefghijklmnopqrstuvwxyz0123456789-", k=dice.randint(least, most)))


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.randint(1, 300)).replace(b"GET", b"")


def _escaped(dice: random.Random) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in dice.randbytes(dice.randint(1, 40)))


def _get(target: bytes, headers: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + HOST + headers + b"\r\n"


def _no_such_level(dice: random.Random) -> bytes:
    return _get(b"/api/levels/nobody-was-in-" + _escaped(dice))


def _no_such_path(dice: random.Random) -> bytes:
    return _get(dice.choice((b"/api/x", b"/no-", b"/.", b"/page/..%2f")) + _letters(dice, 1, 60))


def _bad_minutes(dice: random.Random) -> bytes:
    wrong = dice.choice((_letters(dice, 1, 9) + b"x", b"-%d" % dice.randint(0, 99), b"0", b"1e%d" % dice.randint(1, 9)))
    twice = b"minutes=5&minutes=%d" % dice.randint(1, 9)
    path = dice.choice((b"/api/transitions?", b"/api/history?"))
    return _get(path + dice.choice((b"minutes=" + wrong, b"minutes=" + _escaped(dice) + b"x", twice)))


def _bad_method(dice: random.Random) -> bytes:
    body = dice.randbytes(dice.randint(0, 200))
    head = dice.choice(METHODS) + b" " + dice.choice(PATHS) + b" HTTP/1.1\r\n" + HOST
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _bad_version(dice: random.Random) -> bytes:
    return _get(dice.choice(PATHS), version=b"HTTP/%d.%d" % (dice.randint(3, 9), dice.randint(0, 9)))


def _bad_header(dice: random.Random) -> bytes:
    control = b"X" + bytes([dice.randint(0, 8)]) + b": 1"
    wrong = dice.choice((_letters(dice, 1, 20), b": " + _letters(dice, 1, 9), b"a b: c", control))
    return _get(dice.choice(PATHS), wrong + b"\r\n")


def _bad_length(dice: random.Random) -> bytes:
    length = dice.choice((b"-%d" % dice.randint(1, 99), _letters(dice, 1, 5) + b"x", b"1\r\nContent-Length: 2"))
    return _get(dice.choice(PATHS), b"Content-Length: " + length + b"\r\n")


def _long_address(dice: random.Random) -> bytes:
    return _get(dice.choice(PATHS) + b"?" + _letters(dice, MOST_URL, 4 * MOST_URL))


def _long_headers(dice: random.Random) -> bytes:
    return _get(dice.choice(PATHS), b"X-Y: " + _letters(dice, MOST_HEADERS, 2 * MOST_HEADERS) + b"\r\n")


_KINDS: dict[str, tuple[Callable[[random.Random], bytes], bool]] = {
    "no such level": (_no_such_level, True),
    "no such path": (_no_such_path, True),
    "bad minutes": (_bad_minutes, True),
    "bad method": (_bad_method, True),
    "bad version": (_bad_version, True),
    "bad header": (_bad_header, True),
    "bad length": (_bad_length, True),
    "long address": (_long_address, True),
    "long headers": (_long_headers, True),
    "noise": (_noise, False),
}
