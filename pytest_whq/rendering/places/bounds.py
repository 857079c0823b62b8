"""What the price of tokens leaves for their energy, and where a run lies, in words."""

from collections.abc import Iterator

from pytest_whq.footprint.bound import Bound, TokenPrice
from pytest_whq.footprint.footprint import overhead_of, standing
from pytest_whq.model import Record, Run, format_metric
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.places.amounts import text_table
from pytest_whq.rendering.places.words import NO_OVERHEAD, overhead_phrase, price_phrase, source_phrase
from pytest_whq.rendering.words import one_line, run_rig_phrase
from pytest_whq.units import (
    format_as_given,
    format_number,
    format_percent,
    per_million,
    wh,
)


def render(bound: Bound, run: Run | None) -> str:
    """The bound in sentences, and a line for each test of ``run`` with its distance from it."""
    lines = list(_sentences(bound))
    if run is not None:
        lines += ["", _table(bound, run), run_rig_phrase(run)]
        overhead = None if run.place is None else run.place.overhead
        lines.append(NO_OVERHEAD if overhead is None else overhead_phrase(overhead))
    return "\n".join(lines)


def _sentences(bound: Bound) -> Iterator[str]:
    which = "a token" if bound.input is None else "an output token"
    yield _sentence(which, bound.output, bound.j_per_output_token, bound)
    if bound.input is not None:
        yield _sentence("an input token", bound.input, bound.j_per_input_token, bound)
    yield (
        "That holds for all energy that the seller buys, and only if nobody sells below the price of "
        "electricity: it is no measurement, and what is used lies below it."
    )


def _sentence(which: str, price: TokenPrice, most_j: float, bound: Bound) -> str:
    of = source_phrase(price.source, price.year)
    return (
        f"At {format_as_given(per_million(price.per_token))} {one_line(price.currency)} for a million "
        f"({of}) and {price_phrase(bound.electricity)} {which} can take at most "
        f"{format_metric('j_per_token', most_j)}, a million of them "
        f"{format_metric('wh_total', per_million(wh(most_j)))}."
    )


def _table(bound: Bound, run: Run) -> str:
    names = short_names([record.test for record in run.records])
    rows = [[name, *_distance(bound, record, run)] for name, record in zip(names, run.records, strict=True)]
    return text_table(["test", f"{_known_how(run)} a token", "at most", "of the bound", ""], rows)


def _known_how(run: Run) -> str:
    methods = [method for record in run.records if (method := record.measurement.method) is not None]
    words = dict.fromkeys("modelled" if method == "modelled" else "measured" for method in methods)
    return " or ".join(words) or "measured"


def _distance(bound: Bound, record: Record, run: Run) -> list[str]:
    used_j = standing(record.measurement, "j_per_token")
    most_j, share = bound.j_per_token_of(record.measurement), bound.share_of(record.measurement, run.place)
    if used_j is None or most_j is None or share is None:
        return ["not known", "", "", ""]
    return [
        format_metric("j_per_token", used_j * overhead_of(record.measurement, run.place)),
        format_metric("j_per_token", most_j),
        format_percent(share),
        f"{format_number(1 / share)} times below" if share < 1 else "above: sold below its electricity",
    ]
