"""What a rebuild writes keeps I1, I2 and I4, whatever LevelState says and whatever transitions are kept."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.audit import Moves, differences
from headcount.corrections import NO_COUNT, corrections
from headcount.model import LevelCount

LEVELS = st.sampled_from("abc")
COUNTS = st.builds(LevelCount, *[st.integers(-9, 9)] * 3)
MOVES = st.dictionaries(LEVELS, st.integers(0, 9)).map(Counter)


@settings(deadline=None)
@given(st.dictionaries(LEVELS, st.integers(1, 9)), st.dictionaries(LEVELS, COUNTS), MOVES, MOVES)
def test_corrected_counts_break_no_invariant(
    recount: dict[str, int], levels: dict[str, LevelCount], entered: Counter[str], left: Counter[str]
) -> None:
    moves = Moves(entered, left)
    found = corrections(recount, levels, moves)
    after = levels | {one.level: one.now for one in found}

    assert differences(recount, after, moves) == []
    assert corrections(recount, after, moves) == []
    for one in found:
        was = one.was or NO_COUNT
        assert one.now.entered >= was.entered
        assert one.now.left >= was.left
