"""How often one address may ask: a bucket of tokens each, in bounded memory (pure)."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

MOST_ADDRESSES = 20_000  # beyond it the one that asked longest ago is forgotten, and begins anew


class Limits:
    """Each address may ask ``burst`` times at once, and ``per_second`` in the long run. Times in s, monotonic."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second, self._burst = per_second, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, as of

    def wait(self, address: str, now: float) -> float:
        """0: it may ask now, which takes a token; else after how many seconds."""
        tokens, at = self._buckets.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        allowed = tokens >= 1
        self._buckets[address] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_second


def client(peer: str, forwarded: str, proxies: int) -> str:
    """The address that asks; ``forwarded``: X-Forwarded-For; ``proxies``: how many of our own wrote into it.

    Each proxy appends whom it was asked by, so what stands before those entries is what somebody claims.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()] if proxies else []
    return _network(hops[-min(proxies, len(hops))] if hops else peer)


def _network(address: str) -> str:
    """Of IPv6 the first 64 bits: any number of addresses in there are one customer's. What is IPv4 in it, is that."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
