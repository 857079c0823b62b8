import re
from dataclasses import replace
from typing import Any

import pytest
from samples import H200, NOTHING, RIG, a_record, a_run

from pytest_whq.errors import ReasonCode, SettingError
from pytest_whq.model import BudgetVerdict, Comparison, Measurement, Reason, Record, Rig, Run
from pytest_whq.model.verdicts import BudgetOutcome, ComparisonOutcome
from pytest_whq.rendering.arrangement import Arrangement, arrangement
from pytest_whq.rendering.names import short_names, shortened
from pytest_whq.rendering.terminal import render
from pytest_whq.rendering.words import devices_phrase, one_line
from pytest_whq.units import JOULES_PER_WH


def measured(test: str, mwh: float, percent: float, **changes: Any) -> Record:
    """A record of one query with the given Wh/query and interval."""
    value = mwh / 1000
    half = value * percent / 100
    figures: dict[str, Any] = {
        "queries": 1,
        "energy_j": value * JOULES_PER_WH,
        "interval95": {"wh_per_query": (value - half, value + half)},
    }
    return a_record(f"tests/test_chat.py::{test}", **(figures | changes))


def compared(baseline_mwh: float | None, change: float | None, outcome: ComparisonOutcome) -> Comparison:
    baseline = None if baseline_mwh is None else baseline_mwh / 1000
    return Comparison("wh_per_query", baseline, change, None, outcome)


def budget(
    outcome: BudgetOutcome, used: float | None, limit: float = 0.05, why: str | None = None
) -> BudgetVerdict:
    value = None if used is None else used * limit
    return BudgetVerdict("wh_per_query", limit, value, outcome, "marker", why)


def test_the_table_of_the_style_guide() -> None:
    run = a_run(
        measured("test_short", 1.84, 1.1, comparison=compared(1.79, 0.028, "unchanged")),
        measured("test_long", 9.70, 0.9, comparison=compared(7.10, 0.366, "regressed")),
        replace(NOTHING, test="tests/test_chat.py::test_stream"),
    )
    assert (
        render(run)
        == """\
test                         Wh/query ± 95 %   baseline    change   verdict
test_chat.py::test_short    1.84 mWh ± 1.1 %   1.79 mWh    +2.8 %   unchanged
test_chat.py::test_long     9.70 mWh ± 0.9 %   7.10 mWh   +36.6 %   regressed
test_chat.py::test_stream   not measured: nvml: driver not loaded
2 measured, 1 not measured, 1 regressed · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


def test_budgets_and_warnings_are_columns_where_there_are_any() -> None:
    run = a_run(
        measured("test_short", 36.0, 1.1, budgets=(budget("within", 0.72),)),
        measured(
            "test_long",
            62.1,
            12.3,
            budgets=(budget("exceeded", 1.242),),
            reasons=(Reason("imprecise", "the 95 % interval is wide"), Reason("shared_device", "2 others")),
        ),
        measured("test_free", 900.0, 0.5),
    )
    assert (
        render(run, width=110)
        == """\
test                         Wh/query ± 95 %   budget used                     warnings
test_chat.py::test_short   36.0 mWh ±  1.1 %   72.0 % of 50.0 mWh
test_chat.py::test_long    62.1 mWh ± 12.3 %   124.2 % of 50.0 mWh, exceeded   imprecise, shared device
test_chat.py::test_free     900 mWh ±  0.5 %
3 measured, 1 over budget · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


def test_the_tightest_budget_is_shown_and_failing_ones_first() -> None:
    tokens = BudgetVerdict("wh_per_1k_tokens", 0.1, 0.09, "within", "whq.toml, budgets[0]")
    unmeasured = replace(tokens, value=None, outcome="unmeasured", why="no tokens")
    other = replace(tokens, value=None, outcome="not_judged", why="other hardware")
    run = a_run(
        measured("test_tokens", 1.0, 1.0, budgets=(budget("within", 0.5), tokens)),
        measured("test_unmeasured", 1.0, 1.0, budgets=(budget("within", 0.99), unmeasured)),
        measured("test_other", 1.0, 1.0, budgets=(other, budget("within", 0.01))),
    )
    assert (
        render(run)
        == """\
test                          Wh/query ± 95 %   budget used
test_chat.py::test_tokens    1.00 mWh ± 1.0 %   90.0 % of 100 mWh/1,000 tokens
test…t.py::test_unmeasured   1.00 mWh ± 1.0 %   unmeasured: 100 mWh/1,000 tokens
test_chat.py::test_other     1.00 mWh ± 1.0 %   1.0 % of 50.0 mWh
1 test with wh_per_1k_tokens unmeasured: no tokens
1 test not judged: other hardware
3 measured, 1 with a budget unmeasured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


def test_hardware_that_no_budget_names_is_said() -> None:
    verdict = budget(
        "not_judged", 0.5, why='the budget is for hardware "NVIDIA H100*", and this is NVIDIA H200'
    )
    run = a_run(*(measured(test, 1.0, 1.0, budgets=(verdict,)) for test in ("test_a", "test_b")))
    assert (
        render(run)
        == """\
test                    Wh/query ± 95 %   budget used
test_chat.py::test_a   1.00 mWh ± 1.0 %   not judged: 50.0 mWh
test_chat.py::test_b   1.00 mWh ± 1.0 %   not judged: 50.0 mWh
2 tests not judged: the budget is for hardware "NVIDIA H100*", and this is NVIDIA H200
2 measured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


VERBOSE = a_run(
    a_record("test_chat.py::test_a"),
    a_record(
        "test_chat.py::test_b",
        queries=1,
        tokens=replace(NOTHING.measurement.tokens, input_tokens=7),
        rounds=(),
        reasons=(Reason("tokens_missing", "the replies do not tell their tokens"),),
    ),
)


def test_verbose_tells_tokens_power_and_time_in_columns_where_they_fit() -> None:
    assert (
        render(VERBOSE, verbosity=1, width=200)
        == """\
test                    Wh/query ± 95 %   queries                tokens   per output token   power   rounds    time
test_chat.py::test_a   12.3 mWh ± 1.9 %        20   5,120 in, 2,560 out             345 mJ   143 W        1   6.2 s
test_chat.py::test_b    246 mWh ± 0.1 %         1           7 in, ? out                      143 W            6.2 s
test_chat.py::test_b: the replies do not tell their tokens
2 measured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""  # noqa: E501 - as wide as it is
    )


def test_verbose_tells_them_in_lines_of_their_own_where_columns_do_not_fit() -> None:
    assert (
        render(VERBOSE, verbosity=1)
        == """\
test                    Wh/query ± 95 %
test_chat.py::test_a   12.3 mWh ± 1.9 %
    20 queries   5,120 in, 2,560 out   345 mJ/output token   143 W   1 round
    6.2 s
test_chat.py::test_b    246 mWh ± 0.1 %
    1 query   7 in, ? out   143 W   6.2 s
test_chat.py::test_b: the replies do not tell their tokens
2 measured · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


def test_verbose_tells_where_tokens_are_unknown() -> None:
    record = a_record("test_chat.py::test_a", tokens=NOTHING.measurement.tokens, failed_queries=2)
    assert render(a_run(record), verbosity=1).splitlines()[2] == (
        "    20 queries, 2 failed   tokens unknown   143 W   1 round   6.2 s"
    )


def test_a_sweep_has_distinct_names_one_unit_and_a_header_in_80_columns() -> None:
    models = ("llama-3.3-70b", "qwen-2.5-32b", "mistral-small-24b")
    records = [
        measured(
            f"test_sweep[{model}-{number}]",
            mwh / number,
            1.0,
            comparison=compared(mwh / number, 0.0, "unchanged"),
        )
        for model, mwh in zip(models, (9000, 4000, 2500), strict=True)
        for number in (1, 8, 32)
    ]
    header, *lines = render(a_run(*records), width=80).splitlines()[:-1]
    names = [line.split("   ")[0] for line in lines]
    assert header.split() == ["test", "Wh/query", "±", "95", "%", "baseline", "change", "verdict"]
    assert len(set(names)) == len(lines) == 9
    assert {line.split("   ", 1)[1].split()[1] for line in lines} == {"mWh"}
    for name, record in zip(names, records, strict=True):
        assert name.endswith(record.test.rpartition("-")[2])


def test_a_sweep_of_models_with_long_names_fits_80_columns() -> None:
    models = ("meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-30B-A3B-Instruct-2507", "openai/gpt-oss-120b")
    records = [
        measured(f"test_throughput_under_load[{number}-{model}]", 9.0 / number, 1.0)
        for model in models
        for number in (1, 8, 32)
    ]
    lines = render(a_run(*records), width=80, arranged=Arrangement(group_by="test")).splitlines()[:-1]
    names = {line.split("   ")[0] for line in lines[1:]}
    assert len(names) == 9
    assert all("[" in name and name.startswith("…::test_") for name in names)
    assert max(map(len, lines)) <= 80


def a_run_with_all_columns() -> Run:
    exceeded = budget("exceeded", 1.242)
    warned: tuple[ReasonCode, ...] = ("imprecise", "shared_device", "estimated")
    return a_run(
        measured(
            "test_short[llama-3.1-8b-fp8]",
            36.0,
            1.1,
            budgets=(budget("within", 0.72),),
            comparison=compared(35.0, 0.028, "unchanged"),
        ),
        measured(
            "test_long[llama-3.1-8b-fp8]",
            62.1,
            12.3,
            budgets=(exceeded,),
            comparison=compared(45.0, 0.38, "regressed"),
            reasons=tuple(Reason(code, "why") for code in warned),
        ),
    )


def test_what_a_line_has_no_room_for_stands_below_it() -> None:
    *lines, _ = render(a_run_with_all_columns(), width=80).splitlines()
    assert lines == [
        "test                                       Wh/query ± 95 %    change   verdict",
        "test….py::test_short[llama-3.1-8b-fp8]   36.0 mWh ±  1.1 %    +2.8 %   unchanged",
        "    budget 72.0 % of 50.0 mWh   baseline 35.0 mWh",
        "test…t.py::test_long[llama-3.1-8b-fp8]   62.1 mWh ± 12.3 %   +38.0 %   regressed",
        "    budget 124.2 % of 50.0 mWh, exceeded   baseline 45.0 mWh",
        "    imprecise, shared device, estimated",
    ]


@pytest.mark.parametrize("verbosity", [0, 1])
@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("columns", [(), ("budget", "verdict", "load", "tokens", "warnings", "baseline")])
def test_no_line_of_the_table_is_wider_than_the_terminal_and_every_figure_is_whole(
    verbosity: int, width: int, columns: tuple[str, ...]
) -> None:
    run = a_run_with_all_columns()
    *lines, _ = render(run, verbosity=verbosity, width=width, arranged=Arrangement(columns)).splitlines()
    lines = [line for line in lines if not line.endswith(": why")]
    assert max(map(len, lines)) <= width
    told = "\n".join(lines)
    for figure in ("36.0 mWh", "12.3 %", "35.0 mWh", "124.2 % of 50.0 mWh", "regressed", "shared device"):
        assert figure in told


def test_of_a_single_round_no_spread_is_shown_beside_imprecise() -> None:
    reason = Reason("imprecise", "the 95 % interval is unknown, wider than the ± 2.0 % asked for")
    record = measured("test_a", 3.91, 1.0, interval95={}, reasons=(reason,))
    assert render(a_run(record)).splitlines()[1] == "test_chat.py::test_a   3.91 mWh   imprecise"


def test_quiet_shows_only_what_fails() -> None:
    run = a_run(
        measured("test_within", 36.0, 1.1, budgets=(budget("within", 0.72),)),
        measured("test_over", 62.1, 1.2, budgets=(budget("exceeded", 1.242),)),
        measured("test_slower", 1.0, 1.0, comparison=compared(0.5, 1.0, "regressed")),
        NOTHING,
        replace(NOTHING, test="tests/test_chat.py::test_dark", budgets=(budget("unmeasured", None),)),
    )
    assert (
        render(run, verbosity=-1, width=120)
        == """\
test                         Wh/query ± 95 %   budget used                      baseline     change   verdict
test_chat.py::test_over     62.1 mWh ± 1.2 %   124.2 % of 50.0 mWh, exceeded
test_chat.py::test_slower   1.00 mWh ± 1.0 %                                   0.500 mWh   +100.0 %   regressed
test_chat.py::test_dark     not measured: nvml: driver not loaded
3 measured, 2 not measured, 1 over budget, 1 with a budget unmeasured, 1 regressed · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""  # noqa: E501 - as wide as it is
    )


def test_a_session_that_measured_nothing_has_its_summary() -> None:
    nowhere = Rig(None, None, None, "host", "3.13.1", "Linux", ())
    assert render(a_run(rig=nowhere)) == "0 measured · no device · no source · gross, scope not stated"
    assert (
        render(a_run(NOTHING, rig=nowhere))
        == """\
test_chat.py::test_nothing   not measured: nvml: driver not loaded
0 measured, 1 not measured · no device · no source · gross, scope not stated"""
    )


def test_the_spread_is_that_of_the_interval_else_twice_the_uncertainty_else_not_told() -> None:
    run = a_run(
        measured("test_interval", 10.0, 1.5, uncertainty_j=None),
        measured("test_uncertainty", 10.0, 1.0, interval95={}, uncertainty_j=0.45),
        measured("test_neither", 10.0, 1.0, interval95={}, uncertainty_j=None),
    )
    assert [line.split("   ", 1)[1].strip() for line in render(run).splitlines()[1:4]] == [
        "10.0 mWh ± 1.5 %",
        "10.0 mWh ± 2.5 %",
        "10.0 mWh",
    ]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Reason("failed_queries", "3 of 20 queries failed"), "3 of 20 queries failed"),
        (Reason("counter_stuck", "The counter did not move."), "The counter did not move"),
        (Reason("window_too_short", ""), "window too short"),
    ],
)
def test_what_is_invalid_is_not_shown_as_measured(reason: Reason, told: str) -> None:
    record = a_record("test_chat.py::test_a", reasons=(Reason("imprecise", "wide"), reason))
    assert render(a_run(record)).splitlines()[0] == f"test_chat.py::test_a   not measured: {told}"


def test_other_outcomes_of_a_comparison_are_counted() -> None:
    run = a_run(
        measured("test_a", 1.0, 1.0, comparison=compared(2.0, -0.5, "improved")),
        measured("test_b", 1.0, 1.0, comparison=compared(None, None, "new")),
        measured("test_c", 1.0, 1.0, comparison=compared(None, None, "not_comparable")),
    )
    assert (
        render(run)
        == """\
test                    Wh/query ± 95 %   baseline    change   verdict
test_chat.py::test_a   1.00 mWh ± 1.0 %   2.00 mWh   -50.0 %   improved
test_chat.py::test_b   1.00 mWh ± 1.0 %                        new
test_chat.py::test_c   1.00 mWh ± 1.0 %                        not comparable
3 measured, 1 improved, 1 not comparable · NVIDIA H200, 700 W limit · nvml counter · gross, GPU board"""
    )


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("gpu", "GPU board"),
        ("gpu+cpu", "GPU boards and CPU"),
        ("module", "module (CPU + GPU)"),
        ("cpu", "CPU"),
        (None, "scope not stated"),
        ("rack\n", "rack\\n"),
    ],
)
def test_the_scope_is_told_in_words(scope: str | None, words: str) -> None:
    run = a_run(measured("test_a", 1.0, 1.0), rig=replace(RIG, scope=scope))
    assert render(run).endswith(f" · gross, {words}")


def test_source_and_methods_are_told_once() -> None:
    by_counter = measured("test_a", 1.0, 1.0)
    by_power = measured("test_b", 1.0, 1.0, method="power")
    assert " · nvml counter and power · " in render(a_run(by_counter, by_power, by_counter))
    estimated = measured("test_a", 1.0, 1.0, method="estimate")
    assert " · estimate · " in render(a_run(estimated, rig=replace(RIG, source="estimate")))


def test_devices_of_one_kind_are_counted() -> None:
    assert devices_phrase([replace(H200, id=str(n)) for n in range(8)]) == "8 x NVIDIA H200, 700 W limit each"
    assert devices_phrase([replace(H200, power_limit_w=None)] * 2) == "2 x NVIDIA H200"
    l4 = replace(H200, name="NVIDIA L4", power_limit_w=72.0)
    assert devices_phrase([H200, l4, H200]) == "2 x NVIDIA H200, 700 W limit each + NVIDIA L4, 72.0 W limit"


def test_files_of_one_name_keep_their_folders() -> None:
    tests = ["a/test_x.py::test_1", "b/test_x.py::test_2", "b/test_y.py::TestZ::test_1[c/d::e]"]
    assert short_names(tests) == [
        "a/test_x.py::test_1",
        "b/test_x.py::test_2",
        "test_y.py::TestZ::test_1[c/d::e]",
    ]


def test_long_names_lose_their_middle_where_the_line_is_too_long() -> None:
    record = measured("test_short[" + "x" * 5000 + "-last]", 1.84, 1.1)
    _, first, _ = render(a_run(record), width=80).splitlines()
    x = "x" * 23
    assert first == f"…::test_short[{x[:23]}…{x[:17]}-last]   1.84 mWh ± 1.1 %"
    assert len(first) == 80
    assert shortened("abcdefgh", 5) == "ab…gh"
    assert shortened("abcdefgh", 8) == "abcdefgh"


HOSTILE = "\x1b[31mred\x1b[0m\nline\r\x07\u202e\u2028\x9b1m\udcff 😀 é 中"
ESCAPED = r"\x1b[31mred\x1b[0m\nline\r\x07\u202e\u2028\x9b1m\udcff 😀 é 中"


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert one_line(HOSTILE) == ESCAPED
    verdict = budget("not_judged", 0.5, why=HOSTILE)
    rig = replace(RIG, source=HOSTILE, devices=(replace(H200, name=HOSTILE),))
    run = a_run(
        measured(f"test_a[{HOSTILE}]", 1.0, 1.0, budgets=(verdict,)),
        a_record("test_b", reasons=(Reason("source_error", HOSTILE),)),
        rig=rig,
    )
    text = render(run, width=300)
    assert text.count(ESCAPED) == 5
    assert len(text.splitlines()) == 5
    assert text.replace("\n", "").isprintable()


@pytest.mark.once
def test_ten_thousand_tests_render_within_five_seconds() -> None:
    from time import process_time

    records = [measured(f"test_{n}", 1.0 + n, 1.0, budgets=(budget("within", 0.5),)) for n in range(10_000)]
    started_s = process_time()
    assert len(render(a_run(*records), verbosity=1, width=200).splitlines()) == 10_002
    assert process_time() - started_s < 5


def test_the_measurement_of_a_record_is_not_needed_to_be_whole() -> None:
    measurement: Measurement = replace(NOTHING.measurement, reasons=())
    assert "not measured: there is no figure" in render(a_run(replace(NOTHING, measurement=measurement)))


def a_swept_run() -> Run:
    return a_run(
        *(
            measured(f"test_sweep[{model}]", mwh, 1.0)
            for model, mwh in (("8b", 2.0), ("70b", 9.0), ("1b", 1.0))
        ),
        measured("test_alone", 5.0, 1.0),
    )


def test_variants_stand_side_by_side_with_the_best_of_them() -> None:
    run = a_swept_run()
    assert render(run, arranged=Arrangement(group_by="test")).splitlines()[:-1] == [
        "test                             Wh/query ± 95 %   in its group",
        "tests/test_chat.py::test_sweep:",
        "test_chat.py::test_sweep[1b]    1.00 mWh ± 1.0 %           best",
        "test_chat.py::test_sweep[8b]    2.00 mWh ± 1.0 %         2.00 x",
        "test_chat.py::test_sweep[70b]   9.00 mWh ± 1.0 %         9.00 x",
        "tests/test_chat.py::test_alone:",
        "test_chat.py::test_alone        5.00 mWh ± 1.0 %",
    ]
    (_, *lines, _) = render(run, arranged=Arrangement(group_by="all", sort="name")).splitlines()
    assert [line.split()[0].partition("::")[2] for line in lines] == [
        *("test_alone", "test_sweep[1b]", "test_sweep[70b]", "test_sweep[8b]")
    ]


def test_tests_with_the_same_value_of_a_parameter_stand_together() -> None:
    run = a_run(
        *(
            replace(
                measured(f"test_sweep[{model}-{batch}]", mwh, 1.0),
                params={"model": model, "batch": str(batch)},
            )
            for model, batch, mwh in (("8b", 1, 2.0), ("70b", 1, 9.0), ("8b", 4, 1.0))
        ),
        measured("test_alone", 5.0, 1.0),
    )
    header, *lines, _ = render(run, arranged=Arrangement(group_by="param:model")).splitlines()
    assert header.endswith("in its group")
    assert lines == [
        "model=8b:",
        "test_chat.py::test_sweep[8b-4]    1.00 mWh ± 1.0 %           best",
        "test_chat.py::test_sweep[8b-1]    2.00 mWh ± 1.0 %         2.00 x",
        "model=70b:",
        "test_chat.py::test_sweep[70b-1]   9.00 mWh ± 1.0 %",
        "no model:",
        "test_chat.py::test_alone          5.00 mWh ± 1.0 %",
    ]
    first, header, *_ = render(run, arranged=Arrangement(group_by="param:modle")).splitlines()
    assert first == (
        "None of these tests has the parameter 'modle' (did you mean model?): they have batch, model."
    )
    assert header.endswith("± 95 %")


def test_tests_without_parameters_are_not_grouped_by_one() -> None:
    arranged = Arrangement(group_by="param:model")
    first, *_ = render(a_run(measured("test_alone", 5.0, 1.0)), arranged=arranged).splitlines()
    assert first == "None of these tests has the parameter 'model': they have none."


def test_the_table_has_the_columns_and_the_order_that_are_asked_for() -> None:
    unknown = replace(NOTHING, test="tests/test_chat.py::test_dark")
    run = a_run(unknown, *a_swept_run().records)
    arranged = Arrangement(("power", "queries"), "energy", falling=True)
    header, *lines, _ = render(run, arranged=arranged, verbosity=1).splitlines()
    assert header.split() == ["test", "Wh/query", "±", "95", "%", "power", "queries"]
    assert [line.split()[0].partition("::")[2] for line in lines[:5]] == [
        *("test_sweep[70b]", "test_alone", "test_sweep[8b]", "test_sweep[1b]", "test_dark")
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            ("powre", None, None),
            "--columns cannot be 'powre' (did you mean power?): it knows queries, tokens, ",
        ),
        ((None, "-enrgy", None), "--sort cannot be 'enrgy' (did you mean energy?): it knows name, energy, "),
        ((None, None, "func"), "--group-by cannot be 'func': it knows test, file, all, param:NAME."),
        (
            (None, None, "param:"),
            "--group-by cannot be 'param:' (did you mean param:NAME?): it knows test, file, all, param:NAME.",
        ),
    ],
)
def test_an_arrangement_that_there_is_not_is_refused(
    settings: tuple[str | None, str | None, str | None], sentence: str
) -> None:
    with pytest.raises(SettingError, match=re.escape(sentence)):
        arrangement(("--columns", settings[0]), ("--sort", settings[1]), ("--group-by", settings[2]))


def test_why_there_is_no_figure_per_token_is_told_without_v_too() -> None:
    reason = Reason("tokens_missing", "the replies do not tell their tokens")
    run = a_run(
        measured("test_1", 1.0, 1.0, reasons=(reason,)), measured("test_2", 1.0, 1.0, reasons=(reason,))
    )
    assert (
        "2 tests without figures per token: the replies do not tell their tokens" in render(run).splitlines()
    )
