"""A measurement beside what the inference engine has counted of the same time. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from pytest_whq.joules.phases import with_tokens
from pytest_whq.model import Measurement, Reason, TokenCount
from pytest_whq.model.serving import ServerWork
from pytest_whq.tokens import sum_tokens
from pytest_whq.units import format_percent

_NOTICED = 0.01
"""Differences below this share are not worth a sentence."""

_WORDS = {"input_tokens": "input", "output_tokens": "output", "cached_input_tokens": "cached input"}
"""Tokens that an engine may tell where replies do not."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a test asked of the engine between two looks at it, of which the window may hold a part."""

    queries: int
    failed_queries: int
    tokens: TokenCount

    @property
    def all(self) -> int:
        """Those that succeeded and those that failed."""
        return self.queries + self.failed_queries


def with_server(measurement: Measurement, work: ServerWork | str, sent: Sent) -> Measurement:
    """``measurement`` with what the engine tells beside it: tokens that replies do not tell, and doubts."""
    if isinstance(work, str):
        return replace(measurement, reasons=(*measurement.reasons, Reason("server_silent", work)))
    foreign = None if work.queries is None else max(0, work.queries - sent.all)
    work = replace(work, foreign_queries=foreign)
    found = replace(
        measurement, server=work, reasons=(*measurement.reasons, *foreign_reasons(work, sent.all))
    )
    if (silent := _silence(work, sent)) is not None:
        return replace(found, reasons=(*found.reasons, Reason("server_silent", silent)))
    if work.foreign_queries:
        return found
    if sent.failed_queries:
        unused = (
            f"the tokens that {work.engine} counted are not used, since those of failed queries are in it"
        )
        return replace(found, notes=(*found.notes, unused))
    found = replace(found, notes=(*found.notes, *_differences(work, sent.tokens)))
    return _filled(found, _told(work, sent.tokens), sent)


def foreign_reasons(work: ServerWork, sent: int) -> Iterator[Reason]:
    """The reason that names the queries of others, where there were some beside the ``sent`` ones."""
    if work.foreign_queries:
        yield Reason(
            "foreign_queries",
            f"{work.engine} answered {work.foreign_queries} queries of others beside the {sent} of the test: "
            "what they took is in the figure",
        )


def joined_work(works: Sequence[ServerWork | None]) -> ServerWork | None:
    """The work of several windows together, None where that of one is not known."""
    known = [work for work in works if work is not None]
    if not known or len(known) < len(works) or len({work.engine for work in known}) > 1:
        return None
    counts = [field.name for field in fields(ServerWork) if field.name not in ("engine", "fills")]
    parts = {name: [getattr(work, name) for work in known] for name in counts}
    sums = {name: None if None in part else sum(part) for name, part in parts.items()}
    fills = tuple(dict.fromkeys(fill for work in known for fill in work.fills))
    return ServerWork(known[0].engine, **sums, fills=fills)


def _silence(work: ServerWork, sent: Sent) -> str | None:
    """Why it tells nothing of the test's queries, None where it does."""
    idle = work.queries == 0 or (work.queries is None and not work.output_tokens)
    if sent.queries and idle:
        return f"{work.engine} did no work while the window was open: the queries were answered elsewhere"
    if work.queries is not None and work.queries < sent.queries:
        return (
            f"{work.engine} counted {work.queries} of the {sent.queries} queries: the others were answered "
            "elsewhere, or it counts late, so its tokens are not used"
        )
    return None


def _told(work: ServerWork, replies: TokenCount) -> TokenCount:
    """The tokens of the test's queries, as the engine counts them."""
    cached = work.cached_input_tokens
    if cached is None and replies.input_tokens is not None and work.prefilled_tokens is not None:
        cached = max(0, replies.input_tokens - work.prefilled_tokens)
    whole = work.input_tokens if replies.input_tokens is None else replies.input_tokens
    if cached is not None and whole is not None and cached > whole:
        # Blocks that are looked up again after a preemption count twice.
        cached = None
    return TokenCount(work.input_tokens, work.output_tokens, cached)


def _differences(work: ServerWork, replies: TokenCount) -> Iterator[str]:
    for name in ("input_tokens", "output_tokens"):
        told, counted = getattr(replies, name), getattr(work, name)
        if told is None or counted is None or abs(told - counted) <= _NOTICED * max(told, counted):
            continue
        change = "" if not counted else f" ({format_percent(told / counted - 1, signed=True)})"
        yield (
            f"replies tell {told:,} {_WORDS[name]} tokens, {work.engine} counted {counted:,}{change}: "
            "the figure is by those of the replies"
        )


def _filled(measurement: Measurement, told: TokenCount, sent: Sent) -> Measurement:
    """``measurement`` with tokens that its replies do not tell: its queries' share of all that was sent."""
    queries = measurement.queries or 0
    missing = {
        name: round(count * queries / sent.queries)
        for name in _WORDS
        if getattr(measurement.tokens, name) is None and (count := getattr(told, name)) is not None
        if queries and sent.queries
    }
    if not missing or measurement.server is None:
        return measurement
    tokens = replace(measurement.tokens, **missing)
    rounds = measurement.rounds
    if len(rounds) == 1:
        kept = {name: count for name, count in missing.items() if name != "cached_input_tokens"}
        rounds = (replace(rounds[0], **kept),)
    server = replace(measurement.server, fills=tuple(missing))
    known = tokens.input_tokens is not None and tokens.output_tokens is not None
    return replace(
        measurement,
        tokens=tokens,
        rounds=rounds,
        server=server,
        phases=None if measurement.phases is None else with_tokens(measurement.phases, tokens),
        reasons=tuple(one for one in measurement.reasons if not (known and one.code == "tokens_missing")),
        notes=(*measurement.notes, *_marks(server, missing, queries, sent)),
    )


def _marks(server: ServerWork, filled: Mapping[str, int], queries: int, sent: Sent) -> Iterator[str]:
    """The sentence that says which tokens the engine has told."""
    # That nothing came from a cache needs none.
    words = [_WORDS[name] for name, count in filled.items() if count or name != "cached_input_tokens"]
    if not words:
        return
    note = f"{' and '.join(words)} tokens are as {server.engine} counted them: the replies do not tell them"
    if queries < sent.queries:
        note += f"; of all {sent.queries} queries of the load, by the share of the {queries} in the window"
    elif server.queries is None:
        note += "; those of others' queries, if there were any, are in them"
    yield note


def sent_of(counts: Sequence[tuple[int, int, TokenCount]]) -> Sent:
    """Queries, failed ones and tokens of several parts together."""
    return Sent(
        sum(queries for queries, _, _ in counts),
        sum(failed for _, failed, _ in counts),
        sum_tokens([tokens for queries, _, tokens in counts if queries]),
    )
