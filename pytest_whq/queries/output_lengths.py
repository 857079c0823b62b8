"""What the lengths of outputs tell about how a figure came about."""

from pytest_whq.queries.query import Query


class OutputLengths:
    """Counts outputs that were cut, and how long they are beside what was asked for.

    Of those ``told``, the lengths of ``counted`` ones were not told but counted by the user's tokenizer.
    ``limited`` outputs had a limit that is known: ``asked`` and ``written`` are their sums of tokens.
    """

    __slots__ = ("asked", "counted", "cut", "limited", "longest", "queries", "shortest", "told", "written")

    def __init__(self) -> None:
        self.queries = 0
        self.cut = 0
        self.told = 0
        self.counted = 0
        self.shortest: int | None = None
        self.longest: int | None = None
        self.limited = 0
        self.asked = 0
        self.written = 0

    def add(self, query: Query) -> None:
        """Take in a query that succeeded."""
        self.queries += 1
        if query.cut:
            self.cut += 1
        length = query.tokens.output_tokens
        if length is None:
            return
        self.told += 1
        if query.counted:
            self.counted += 1
        if self.shortest is None or length < self.shortest:
            self.shortest = length
        if self.longest is None or length > self.longest:
            self.longest = length
        if query.limit is not None:
            self.limited += 1
            self.asked += query.limit
            self.written += length

    def include(self, other: "OutputLengths") -> None:
        """Take in what others have taken in."""
        for name in ("queries", "cut", "told", "counted", "limited", "asked", "written"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        known = [length for length in (self.shortest, other.shortest) if length is not None]
        self.shortest = min(known, default=None)
        known = [length for length in (self.longest, other.longest) if length is not None]
        self.longest = max(known, default=None)
