"""A run such as a project has, with something of everything that a report can show."""

from dataclasses import replace
from typing import Any, get_args

from samples import NOTHING, RIG, a_record, a_run

from pytest_whq.model import (
    BudgetVerdict,
    Commit,
    Comparison,
    Device,
    Gap,
    GapKind,
    PowerCurve,
    Reason,
    Record,
    Rig,
    Round,
    Run,
    TokenCount,
)
from pytest_whq.model.serving import Distribution, Distributions, Load, Phase, Phases
from pytest_whq.model.verdicts import BudgetOutcome, ComparisonOutcome
from pytest_whq.units import JOULES_PER_WH

BASELINE = Commit("1a2b3c4d5e6f7a8b9c0d", "main", False)


def measured(test: str, mwh: float, *, rounds: int = 8, noise: float = 0.01, **changes: Any) -> Record:
    """A record of 20 queries in each round, at a given Wh/query, that looks measured."""
    per_round_j = [
        round(mwh / 1000 * JOULES_PER_WH * 20 * (1 + noise * wobble(number)), 2) for number in range(rounds)
    ]
    energy_j = round(sum(per_round_j), 2)
    queries = 20 * rounds
    value = energy_j / JOULES_PER_WH / queries
    figures: dict[str, Any] = {
        "energy_j": energy_j,
        "net_energy_j": round(energy_j * 0.7, 2),
        "uncertainty_j": round(energy_j * 0.004, 2),
        "duration_s": 1.25 * rounds,
        "queries": queries,
        "tokens": TokenCount(256 * queries, 128 * queries),
        "rounds": tuple(Round(one, round(one * 0.7, 2), 1.25, 20, 5120, 2560) for one in per_round_j),
        "interval95": {"wh_per_query": (value * (1 - noise), value * (1 + noise))},
        "power": power(energy_j / rounds / 1.25, rounds),
    }
    return a_record(f"tests/{test}", **(figures | changes))


def wobble(number: int) -> float:
    """A number from -1 to 1 that looks like chance."""
    return (number * 7 % 11 - 5) / 5


def power(watts: float, rounds: int) -> PowerCurve:
    """Idle at 80 W, and ``watts`` in each round of 1.25 s, a tenth of a second apart."""
    windows = [(5000.3 + 1.35 * n, 5001.55 + 1.35 * n) for n in range(rounds)]
    step_s = (1.35 * rounds + 0.6) / 200
    values: list[float | None] = []
    for step in range(200):
        time_s = 5000 + step * step_s
        inside = any(start <= time_s <= end for start, end in windows)
        values.append(round((watts if inside else 80.0) + 6 * wobble(step)))
    return PowerCurve(5000.0, step_s, tuple(values), tuple(windows))


def against(baseline_mwh: float, change: float, outcome: ComparisonOutcome, **more: Any) -> Comparison:
    """A comparison with three runs of the main branch."""
    found = Comparison(
        "wh_per_query",
        baseline_mwh / 1000,
        change,
        (change - 0.021, change + 0.022),
        outcome,
        limit=0.05,
        origin="default",
        runs=3,
        created="2026-11-20T06:12:44Z",
        commit=BASELINE,
    )
    return replace(found, **more)


def budget(limit_mwh: float, value_mwh: float, outcome: BudgetOutcome = "within") -> BudgetVerdict:
    """A budget on Wh/query out of a file."""
    return BudgetVerdict("wh_per_query", limit_mwh / 1000, value_mwh / 1000, outcome, "whq.toml, budgets[0]")


def loaded(concurrency: int) -> Record:
    """A record of streams under load: the more in flight, the less each costs, and the slower it is."""
    queries = 40 * concurrency
    per_query_j = 4.0 + 20.0 / concurrency
    ttft_s, tpot_s = 0.05 * (1 + concurrency / 16), 0.008 * (1 + concurrency / 32)
    one_at_a_time = concurrency == 1
    return a_record(
        f"tests/test_load.py::test_load[{concurrency}-chat]",
        energy_j=per_query_j * queries,
        net_energy_j=None,
        uncertainty_j=0.02 * per_query_j * queries,
        duration_s=30.0,
        queries=queries,
        tokens=TokenCount(256 * queries, 128 * queries),
        rounds=(Round(per_query_j * queries, None, 30.0, queries, 256 * queries, 128 * queries),),
        interval95={},
        distributions=Distributions(
            alike(ttft_s + 127 * tpot_s, queries),
            alike(ttft_s, queries),
            alike(tpot_s, queries),
            alike(tpot_s, queries),
            alike(256.0, queries),
            alike(128.0, queries),
        ),
        load=Load(concurrency, None, queries / 30, 256 * queries / 30, 128 * queries / 30, 0.0, None, None),
        phases=Phases("first_token", Phase(160.0, 4.0, 2.0, 10240), Phase(800.0, 6.0, 28.0, 5120))
        if one_at_a_time
        else None,
        notes=() if one_at_a_time else ("max_tokens cut 3 of 100 outputs short",),
    )


def alike(value: float, count: int) -> Distribution:
    """A distribution around ``value``."""
    return Distribution(count, value, value, 1.2 * value, 1.5 * value, 2 * value)


def a_report_run() -> Run:
    """The run."""
    new = Comparison("wh_per_query", None, None, None, "new")
    differences = ("power limit 700 W, in the baseline 500 W",)
    other_rig = Comparison("wh_per_query", None, None, None, "not_comparable", differences=differences)
    return a_run(
        measured(
            "test_chat.py::test_short[gpt-oss-20b]",
            1.84,
            budgets=(budget(5, 1.84),),
            comparison=against(1.79, 0.028, "unchanged"),
        ),
        measured(
            "test_chat.py::test_long[gpt-oss-20b]",
            9.70,
            budgets=(budget(10, 9.70),),
            comparison=against(
                7.10,
                0.366,
                "regressed",
                likely_cause="output tokens per query changed by +34.8 %, from 95 to 128",
                per_token=replace(against(75.0, 0.012, "unchanged"), metric="j_per_output_token"),
            ),
        ),
        measured(
            "test_chat.py::test_batch[32]",
            0.412,
            rounds=12,
            budgets=(budget(1, 0.412),),
            comparison=against(0.483, -0.147, "improved"),
        ),
        measured(
            "test_rag.py::test_answer_with_ten_documents",
            48.3,
            rounds=5,
            noise=0.06,
            budgets=(budget(40, 48.3, "exceeded"),),
            comparison=against(46.0, 0.05, "inconclusive"),
            reasons=(
                Reason("imprecise", "the 95 % interval is ± 6.0 %, wider than the ± 2.0 % asked for"),
                Reason("throttled", "NVIDIA H200 (GPU-1) slowed down because it was hot"),
            ),
        ),
        measured("test_rag.py::test_summary", 12.6, comparison=new),
        *(loaded(concurrency) for concurrency in (1, 8, 64)),
        measured("test_rag.py::test_translate", 3.31, comparison=other_rig),
        NOTHING,
        rig=RIG,
        gaps=(
            Gap("failed_before", "tests/test_rag.py::test_rerank"),
            Gap("gone", "tests/test_chat.py::test_short[gpt-oss-7b]"),
            Gap("unused_budget", "whq.toml, budgets[1]", "tests/test_chta.py::*"),
        ),
    )


HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><svg onload=document.title='owned'>",
    "</style><script>document.title='owned'</script><!--",
    "javascript:document.title='owned'",
    "| a | b |\n|---|---|",
    "[link](https://example.com) ![image](https://example.com/x.png)",
    "**bold** _it_ ~~x~~ `code` ``two`` @mention #1 GH-1 :100: www.example.com https://example.com",
    "\x1b[31mred\x1b[0m\x07\u202e\u2028\x9b1m",
    "%0A::error title=x::owned\r\n::error::owned",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "'single' \"double\" \\ back",
    "😀 é 中 \udcff",
    "${title} $title {0} %s",
    "</details></table>",
    "]]> --> <!-- -->",
    "x" * 5000,
    "* " * 2500,
    "",
    " ",
)
"""Parameters that a test can have, of which each tries something."""


def a_hostile_run() -> Run:
    """A run whose every text from outside is one of `HOSTILE`."""
    records = [
        measured(
            f"test_it.py::test[{text}]",
            1.0 + number,
            reasons=(Reason("throttled", text),),
            comparison=against(
                1.0, 0.5, "regressed", why=text, likely_cause=text, differences=(text, text), origin=text
            ),
            budgets=(BudgetVerdict("wh_per_query", 0.001, 0.002, "exceeded", text, text),),
        )
        for number, text in enumerate(HOSTILE)
    ]
    records += [a_record(text, reasons=(Reason("source_error", text),)) for text in HOSTILE]
    device = Device("\n".join(HOSTILE), "\n".join(HOSTILE), 700.0)
    every = "\n".join(HOSTILE)
    rig = Rig(every, every, every, every, every, every, (device,))
    run = a_run(*records, rig=rig)
    gaps = tuple(Gap(kind, text, text) for text in HOSTILE for kind in get_args(GapKind))
    return replace(run, gaps=gaps, tool=HOSTILE[0], commit=Commit(HOSTILE[6], HOSTILE[0], True))
