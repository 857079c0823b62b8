"""What a run's figures are like, and what others published: shown only where that is asked for."""

from pytest_whq.footprint.footprint import standing
from pytest_whq.footprint.published import PS5_SOURCE, PS5_W, ps5_minutes, published
from pytest_whq.model import Run, format_metric
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.places.amounts import text_table
from pytest_whq.rendering.places.words import source_phrase
from pytest_whq.rendering.words import run_rig_phrase
from pytest_whq.units import format_number, format_quantity

NOT_LIKE_FOR_LIKE = (
    "Not like for like: other models, lengths, hardware and scopes. For an order of magnitude only."
)


def render(run: Run) -> str:
    """Minutes of a console for each test, then published figures with their scopes and sources."""
    names = short_names([record.test for record in run.records])
    values = [standing(record.measurement, "wh_per_query") for record in run.records]
    rows = [
        [name, format_metric("wh_per_query", value), f"{format_number(ps5_minutes(value))} min"]
        for name, value in zip(names, values, strict=True)
        if value is not None
    ]
    others = [
        [
            one.what,
            format_metric("wh_per_query", one.wh_per_query),
            one.scope,
            source_phrase(one.source, one.year),
        ]
        for one in published()
    ]
    console = f"PlayStation 5 at {format_quantity(PS5_W, 'W')}"
    return "\n".join(
        [
            text_table(["a query is", "here", console], rows),
            run_rig_phrase(run),
            PS5_SOURCE,
            "",
            text_table(["others published", "a query", "scope", "source and year"], others, left=(0, 2, 3)),
            NOT_LIKE_FOR_LIKE,
        ]
    )
