"""What a test measures with: the session's clock, its meters, and those who read tokens."""

from pytest_whq.measuring.clock import Clock, SystemClock
from pytest_whq.measuring.meter import Meter
from pytest_whq.model import TokenCount
from pytest_whq.tokens import read_queries, unreadable
from pytest_whq.tokens.tokenizer import Tokenizer


class Instruments:
    """The instruments of a session. These measure no energy, in real time, with the built-in readers."""

    clock: Clock = SystemClock()

    @property
    def tokenizer(self) -> Tokenizer | None:
        """What counts the output tokens of replies that are text, where the user names one."""
        return None

    def meter(self) -> Meter:
        """A meter on the session's power source."""
        return Meter(self.clock, None)

    def read_queries(self, reply: object) -> tuple[TokenCount, ...] | None:
        """The tokens of each query that ``reply`` answers, None where nobody can read it."""
        return read_queries(reply)

    def unreadable(self, reply: object) -> str:
        """The sentence that says why the tokens of ``reply`` are unknown."""
        return unreadable(reply)

    def progress(self, meter: Meter) -> None:
        """Show that a round of a long measurement is done."""
