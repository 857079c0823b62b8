"""What a test measures with: the session's clock, its meters, and who reads its replies."""

from collections.abc import Callable

from pytest_whq.measuring.clock import Clock, SystemClock
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.server_watch import Looks
from pytest_whq.queries.reply_reader import ReplyReader


class Instruments:
    """The instruments of a session. These measure no energy, in real time, with the built-in readers.

    ``server`` is the inference engine to look at beside, if there is one.
    """

    clock: Clock = SystemClock()
    server: Looks | None = None

    @property
    def reader(self) -> ReplyReader:
        """What reads the replies of queries."""
        return _BUILT_IN

    def meter(self) -> Meter:
        """A meter on the session's power source."""
        return Meter(self.clock, None)

    def progress(self, said: Callable[[], str], *, often: bool = False) -> None:
        """Show where a long measurement is; ``said`` is asked where it is shown, which is not ``often``."""


_BUILT_IN = ReplyReader()
