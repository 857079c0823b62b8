"""What a reader must know first: the worst of what was found, and then the rest."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pytest_whq.model import BUDGET_OUTCOMES, COMPARISON_OUTCOMES, Run
from pytest_whq.model.verdicts import Tone
from pytest_whq.rendering.rows import TONES, Row
from pytest_whq.rendering.words import (
    FAILED_BEFORE,
    FAILING_BY_POLICY,
    INTERRUPTED,
    NOT_MEASURED,
    counts_of,
)

COUNT_TONES: Mapping[str, Tone] = {
    **{
        meaning.counted: meaning.tone
        for meaning in (*BUDGET_OUTCOMES.values(), *COMPARISON_OUTCOMES.values())
        if meaning.counted
    },
    FAILING_BY_POLICY: "bad",
    NOT_MEASURED: "unsure",
    FAILED_BEFORE: "unsure",
    INTERRUPTED: "unsure",
}
"""What `counts_of` counts -> its tone; what is not here is plain."""


class Headline(NamedTuple):
    """``first`` are the counts of the worst tone that there is, or all of them; ``rest`` the others."""

    tone: Tone
    first: str
    rest: str


def headline(run: Run, rows: Sequence[Row]) -> Headline:
    """The headline of ``run``: ``good`` where all that was judged is as it should be."""
    counts = worst_first(run)
    unjudged = any(gap.kind == "unjudged" for gap in run.gaps)
    tones = {row.tone for row in rows} | {COUNT_TONES.get(what, "plain") for what in counts}
    worst = next((tone for tone in ("bad", "unsure") if tone in tones), None)
    if unjudged and worst != "bad":
        return Headline("unsure", "nothing judged", _said(counts))
    if worst is None:
        tone: Tone = "good" if any(row.is_judged for row in rows) else "plain"
        return Headline(tone, _said(counts), "")
    first = {what: number for what, number in counts.items() if COUNT_TONES.get(what) == worst}
    rest = {what: number for what, number in counts.items() if what not in first}
    return Headline(
        "bad" if worst == "bad" else "unsure", _said(first or counts), _said(rest) if first else ""
    )


def worst_first(run: Run) -> dict[str, int]:
    """`counts_of` the run, those that are bad before the others."""
    counts = counts_of(run)
    order = sorted(counts, key=lambda what: TONES.index(COUNT_TONES.get(what, "plain")))
    return {what: counts[what] for what in order}


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items())
