"""How often one address may ask, and whose address it is."""

import pytest

from game_map import limits as module
from game_map.limits import Limits, client


def test_a_burst_is_borne_then_so_many_a_second() -> None:
    limits = Limits(per_second=2, burst=3)
    assert [limits.wait("a", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limits.wait("b", 0) == 0, "each address for itself"
    assert limits.wait("a", 0.5) == 0
    assert limits.wait("a", 0.5) == 0.5
    assert [limits.wait("a", 1000) for _ in range(4)] == [0, 0, 0, 0.5], "no more than a burst is saved up"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ADDRESSES", 2)
    limits = Limits(per_second=1, burst=1)
    for address in "abc":
        limits.wait(address, 0)
    assert limits.wait("b", 0) > 0
    assert limits.wait("a", 0) == 0, "forgotten"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "asks"),
    [
        ("", 0, "peer"),
        ("claimed", 0, "peer"),
        ("claimed, real", 1, "real"),
        ("claimed, real, cdn", 2, "real"),
        ("real", 2, "real"),
        (" , ", 1, "peer"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", 1, "192.0.2.7"),
    ],
)
def test_only_our_own_proxies_are_believed(forwarded: str, proxies: int, asks: str) -> None:
    assert client("peer", forwarded, proxies) == asks
