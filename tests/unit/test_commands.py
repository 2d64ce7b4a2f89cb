"""What a person's commands print."""

from headcount.terminal import harmless


def test_an_id_cannot_steer_the_terminal_it_is_printed_on() -> None:
    assert harmless("I1 \x1b]0;owned\x07\x1b[2J\r\nforest: 3") == r"I1 \x1b]0;owned\x07\x1b[2J\r\nforest: 3"


def test_letters_of_any_script_stay_as_they_are() -> None:
    assert harmless("ünïcødé 🎮 森") == "ünïcødé 🎮 森"
