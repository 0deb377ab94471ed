"""What inherits from `ActionContract` finds an action out that does what it only should tell."""

from pathlib import Path

import pytest

from mailrules.testing import ActionContract, message_of


class Telling:
    """Says what it would do."""

    def describe(self, _message, _data):
        return "ring"


class Acting(Telling):
    """Does it while it says so, wherever the tests are run."""

    def describe(self, message, data):
        Path("rung").write_text("x")
        return super().describe(message, data)


@pytest.mark.parametrize(("action", "caught"), [(Telling(), False), (Acting(), True)], ids=["tells", "acts"])
def test_a_description_that_acts_is_caught(action, caught, tmp_path, monkeypatch):
    def look():
        ActionContract().test_it_describes_itself_in_one_line_without_doing_it(
            action, message_of(), tmp_path, monkeypatch
        )

    if caught:
        with pytest.raises(AssertionError):
            look()
    else:
        look()
