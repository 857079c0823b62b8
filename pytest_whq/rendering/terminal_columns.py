"""The columns of the terminal's table: what each says of a record, and by what it sorts."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from pytest_whq.model import REASONS, Record, format_metric
from pytest_whq.rendering.columns import Column
from pytest_whq.rendering.grouping import against_best
from pytest_whq.rendering.metric_columns import metric_column
from pytest_whq.rendering.served_words import load_phrase, phases_phrase, times_phrase
from pytest_whq.rendering.words import budget_phrase, per_phrase, spread, tightest_budget
from pytest_whq.units import Prefix, format_percent, format_seconds, number_of

_Key = Callable[[Record], float | None]


class Sortable(NamedTuple):
    """A column, and the number that its rows are sorted by, None where that is not known.

    ``in_words`` says what a cell does where no title stands above it: ``20 queries`` for 20.
    """

    column: Column[Record]
    key: _Key
    in_words: Callable[[Record], str] | None = None

    def phrase(self, record: Record) -> str:
        """What the column says of ``record`` in a line without a header."""
        return (self.in_words or self.column.cell)(record)


def energy_column(records: Sequence[Record], prefix: Prefix) -> Column[Record]:
    """Wh/query with its spread, which is as wide for each of ``records``, so that figures stand in line."""
    widest = max((len(_spread(record)) for record in records), default=0)

    def cell(record: Record) -> str:
        value = format_metric("wh_per_query", record.measurement.wh_per_query, prefix)
        share = _spread(record)
        return f"{value} ± {share:>{widest}}" if share else value

    return Column("Wh/query ± 95 %" if widest else "Wh/query", cell)


def baseline_column(prefix: Prefix | None) -> Column[Record]:
    """The baseline; with the ``prefix`` of the figures that are compared with it, it has their unit."""

    def cell(record: Record) -> str:
        comparison = record.comparison
        if comparison is None or comparison.baseline is None:
            return ""
        same = comparison.metric == "wh_per_query"
        value = format_metric(comparison.metric, comparison.baseline, prefix if same else None)
        return f"{value}{per_phrase(comparison.metric)}"

    return Column("baseline", cell)


def in_one_unit(records: Sequence[Record], prefix: Prefix) -> dict[str, Column[Record]]:
    """Those of `COLUMNS` whose figures compare, by their names; ``prefix`` is that of Wh/query."""
    metrics = {"per_output_token": "j_per_output_token", "power": "average_power_w"}
    return {"baseline": baseline_column(prefix)} | {
        name: metric_column(COLUMNS[name].column.title, metric, records, attrgetter("measurement"))
        for name, metric in metrics.items()
    }


def best_column(best_of: Callable[[Record], float | None]) -> Column[Record]:
    """How many times the best of its group a record takes."""

    def cell(record: Record) -> str:
        best, value = best_of(record), record.measurement.wh_per_query
        return against_best(value, best) if best and value is not None else ""

    return Column("in its group", cell)


def _spread(record: Record) -> str:
    share = spread(record.measurement)
    return "" if share is None else format_percent(share)


def _queries(record: Record) -> str:
    queries = record.measurement.queries
    return "unknown" if queries is None else f"{queries:,}{_failed(record)}"


def _queries_in_words(record: Record) -> str:
    queries = record.measurement.queries
    if queries is None:
        return "queries unknown"
    return f"{number_of(queries, 'query', 'queries')}{_failed(record)}"


def _failed(record: Record) -> str:
    failed = record.measurement.failed_queries
    return f", {failed:,} failed" if failed else ""


def _tokens(record: Record) -> str:
    tokens = record.measurement.tokens
    if tokens.input_tokens is None and tokens.output_tokens is None:
        return "unknown"
    return f"{_known(tokens.input_tokens)} in, {_known(tokens.output_tokens)} out"


def _tokens_in_words(record: Record) -> str:
    said = _tokens(record)
    return "tokens unknown" if said == "unknown" else said


def _known(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _energy_per_output_token(record: Record) -> str:
    value = record.measurement.j_per_output_token
    return "" if value is None else format_metric("j_per_output_token", value)


def _energy_per_output_token_in_words(record: Record) -> str:
    value = _energy_per_output_token(record)
    return f"{value}/output token" if value else ""


def _power(record: Record) -> str:
    value = record.measurement.average_power_w
    return "" if value is None else format_metric("average_power_w", value)


def _rounds(record: Record) -> str:
    rounds = len(record.measurement.rounds)
    return f"{rounds:,}" if rounds else ""


def _rounds_in_words(record: Record) -> str:
    rounds = len(record.measurement.rounds)
    return number_of(rounds, "round") if rounds else ""


def _seconds(record: Record) -> str:
    duration_s = record.measurement.duration_s
    return "" if duration_s is None else format_seconds(duration_s)


def _change(record: Record) -> str:
    change = None if record.comparison is None else record.comparison.change
    return "" if change is None else format_percent(change, signed=True)


def _verdict(record: Record) -> str:
    return "" if record.comparison is None else record.comparison.meaning.said


def _warnings(record: Record) -> str:
    reasons = record.measurement.reasons
    return ", ".join(reason.code.replace("_", " ") for reason in reasons if not REASONS[reason.code])


def _of_measurement(name: str) -> _Key:
    return lambda record: getattr(record.measurement, name)


def _compared(name: str) -> _Key:
    return lambda record: getattr(record.comparison, name, None)


def _budget_used(record: Record) -> float | None:
    verdict = tightest_budget(record.budgets)
    return None if verdict is None or verdict.value is None else verdict.value / verdict.limit


def _number_of_warnings(record: Record) -> float:
    return sum(not REASONS[reason.code] for reason in record.measurement.reasons)


def _after(title: str, cell: Callable[[Record], str]) -> Callable[[Record], str]:
    return lambda record: f"{title} {said}" if (said := cell(record)) else ""


def _load(name: str) -> _Key:
    return lambda record: getattr(record.measurement.load, name, None)


def _first_token_s(record: Record) -> float | None:
    spread_of = record.measurement.distributions
    return None if spread_of is None or spread_of.ttft_s is None else spread_of.ttft_s.p50


COLUMNS: Mapping[str, Sortable] = {
    "queries": Sortable(Column("queries", _queries), _of_measurement("queries"), _queries_in_words),
    "tokens": Sortable(Column("tokens", _tokens), _of_measurement("total_tokens"), _tokens_in_words),
    "per_output_token": Sortable(
        Column("per output token", _energy_per_output_token),
        _of_measurement("j_per_output_token"),
        _energy_per_output_token_in_words,
    ),
    "power": Sortable(Column("power", _power), _of_measurement("average_power_w")),
    "rounds": Sortable(
        Column("rounds", _rounds), lambda record: len(record.measurement.rounds), _rounds_in_words
    ),
    "time": Sortable(Column("time", _seconds), _of_measurement("duration_s")),
    "load": Sortable(
        Column[Record]("load", lambda record: load_phrase(record.measurement), "left"), _load("concurrency")
    ),
    "times": Sortable(
        Column[Record]("times", lambda record: times_phrase(record.measurement), "left"), _first_token_s
    ),
    "phases": Sortable(
        Column[Record]("phases", lambda record: phases_phrase(record.measurement), "left"), _first_token_s
    ),
    "budget": Sortable(
        Column[Record]("budget used", lambda record: budget_phrase(record.budgets), "left"),
        _budget_used,
        _after("budget", lambda record: budget_phrase(record.budgets)),
    ),
    "baseline": Sortable(
        baseline_column(None), _compared("baseline"), _after("baseline", baseline_column(None).cell)
    ),
    "change": Sortable(Column("change", _change), _compared("change"), _after("change", _change)),
    "verdict": Sortable(Column("verdict", _verdict, "left"), _compared("change")),
    "warnings": Sortable(Column("warnings", _warnings, "left"), _number_of_warnings),
}
"""Name -> column, beside the test and its Wh/query, which are always there."""

VERBOSE = ("queries", "tokens", "per_output_token", "power", "rounds", "time", "load", "times", "phases")
"""What -v shows as well."""

USUAL = ("budget", "baseline", "change", "verdict", "warnings")
"""What is shown where no columns are asked for, as far as it says something."""
