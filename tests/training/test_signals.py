import signal

import pytest

from ttskit.errors import Interrupted
from ttskit.training import signals


def test_the_first_signal_waits_and_the_second_does_not():
    before = [signal.getsignal(number) for number in signals.STOPS]
    with signals.held() as came:
        assert not came
        signal.raise_signal(signal.SIGINT)
        assert came
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in signals.STOPS] == before


def test_what_came_is_obeyed_as_it_asks_for():
    signals.Held().obey("nothing came")
    with pytest.raises(Interrupted, match="all is kept"):
        signals.Held(signal.SIGINT).obey("all is kept")
    with pytest.raises(SystemExit) as told:
        signals.Held(signal.SIGTERM).obey("all is kept")
    assert told.value.code == 143
