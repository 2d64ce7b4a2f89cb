"""Counters over restarts, and standstills."""

from headcount.demo.observe import Totals
from headcount.demo.report import _standstill


def test_a_counter_that_starts_anew_is_added_up() -> None:
    totals = Totals()
    for value in (5.0, 9.0, 2.0, 4.0):
        totals.update({("writes_total", "consumer "): value})
    assert totals.sum("writes_total") == 13.0


def test_a_quantile_is_the_bound_of_its_bucket() -> None:
    totals = Totals()
    totals.update(
        {
            ("lag_bucket", "level_aggregator le=0.5"): 6.0,
            ("lag_bucket", "level_aggregator le=1.0"): 9.0,
            ("lag_bucket", "level_aggregator le=+Inf"): 10.0,
        }
    )
    assert totals.quantile("lag", 0.5) == 0.5
    assert totals.quantile("lag", 0.9) == 1.0
    assert totals.quantile("lag", 0.99) == float("inf")
    assert totals.quantile("other", 0.5) is None


def test_the_longest_standstill_counts_the_ends_of_the_window() -> None:
    assert _standstill([1.0, 2.0, 6.0], 0.0, 7.0) == 4.0
    assert _standstill([1.0], 0.0, 7.0) == 6.0
    assert _standstill([], 3.0, 7.0) == 4.0
