from dataclasses import replace
from typing import Any

import pytest
from samples import H200, NOTHING, RIG, WITHIN, a_record, a_run

from pytest_whq.model import Comparison, DeviceEnergy, Reason, Record, Rig, Run
from pytest_whq.model.baseline import KEPT, Baseline, accept

EMPTY = Baseline({})
L4 = replace(RIG, devices=(replace(H200, name="NVIDIA L4"),))


def on_day(day: int, *records: Record, rig: Rig = RIG) -> Run:
    return replace(a_run(*records, rig=rig), created=f"2026-11-{day:02}T08:00:00Z")


def days(baseline: Baseline, test: str) -> list[str]:
    return [entry.run.created[8:10] for entry in baseline.of(test)]


def test_a_valid_record_enters_with_its_run() -> None:
    done = accept(EMPTY, on_day(1, a_record("a"), a_record("b")))
    assert (done.accepted, done.left_out) == (("a", "b"), {})
    (entry,) = done.baseline.of("a")
    assert entry.wh_per_query == a_record().measurement.wh_per_query
    assert entry.j_per_output_token == a_record().measurement.j_per_output_token
    assert (entry.run.rig, entry.run.commit) == (RIG, a_run().commit)
    assert entry.interval95 == {"wh_per_query": (0.01205, 0.01251)}


def test_other_tests_and_other_rigs_stay_as_they_are() -> None:
    before = accept(EMPTY, on_day(1, a_record("a"), a_record("b"), rig=L4)).baseline
    done = accept(before, on_day(2, a_record("a"), a_record("c")))
    assert done.baseline.of("b") == before.of("b")
    assert [entry.run.rig for entry in done.baseline.of("a")] == [L4, RIG]
    assert done.accepted == ("a", "c")


def test_the_last_ten_of_each_test_and_rig_are_kept() -> None:
    baseline = accept(EMPTY, on_day(1, a_record("a"), rig=L4)).baseline
    for day in range(1, 14):
        baseline = accept(baseline, on_day(day, a_record("a", energy_j=880.0 + day))).baseline
    assert KEPT == 10
    assert days(baseline, "a") == ["01", *(f"{day:02}" for day in range(4, 14))]
    assert [entry.run.rig == L4 for entry in baseline.of("a")].index(True) == 0


def test_a_run_older_than_those_kept_is_left_out_and_one_between_finds_its_place() -> None:
    baseline = EMPTY
    for day in range(10, 20):
        baseline = accept(baseline, on_day(day, a_record("a"))).baseline
    done = accept(baseline, on_day(9, a_record("a")))
    assert done.left_out == {"a": "the baseline has 10 later runs of it"}
    assert done.baseline == baseline
    late = replace(on_day(12, a_record("a")), created="2026-11-12T08:00:00.5Z")
    done = accept(baseline, late)
    assert [entry.run.created for entry in done.baseline.of("a")][:3] == [
        "2026-11-11T08:00:00Z",
        "2026-11-12T08:00:00Z",
        "2026-11-12T08:00:00.5Z",
    ]


def test_a_run_enters_once() -> None:
    once = accept(EMPTY, on_day(1, a_record("a"))).baseline
    twice = accept(once, on_day(1, a_record("a")))
    assert twice.baseline == once
    assert twice.left_out == {"a": "it is in the baseline already"}


REGRESSED = Comparison("wh_per_query", 0.01, 0.2, (0.1, 0.3), "regressed")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (replace(NOTHING, outcome="passed"), "nvml: driver not loaded"),
        (a_record(reasons=(Reason("failed_queries", "3 of 20 queries failed."),)), "3 of 20 queries failed"),
        (a_record(reasons=(Reason("counter_stuck", ""),)), "counter stuck"),
        (a_record(energy_j=0.0), "there is no figure"),
        (a_record(outcome="failed"), "the test failed"),
        (a_record(outcome="failed", budgets=(WITHIN,)), "the test failed"),
        (a_record(outcome="skipped"), "the test was skipped"),
        (a_record(outcome="interrupted"), "the test was interrupted"),
        (a_record(outcome="failed", budgets=(replace(WITHIN, outcome="exceeded"),)), None),
        (a_record(outcome="failed", comparison=REGRESSED), None),
        (a_record(outcome="failed", comparison=replace(REGRESSED, outcome="unchanged")), "the test failed"),
        (a_record(outcome="xfailed"), None),
        (a_record(reasons=(Reason("throttled", "it was hot"), Reason("tokens_missing", "no usage"))), None),
    ],
)
def test_only_valid_records_enter(record: Record, why: str | None) -> None:
    done = accept(EMPTY, on_day(1, record))
    assert done.left_out.get(record.test) == why
    assert bool(done.accepted) is (why is None)


def test_of_workers_with_different_devices_each_record_has_its_own() -> None:
    second = replace(H200, id="GPU-2", power_limit_w=500.0)

    def on(test: str, *devices: str, **changes: Any) -> Record:
        return a_record(test, devices=tuple(DeviceEnergy(id_, 884.0) for id_ in devices), **changes)

    rig = replace(RIG, devices=(H200, second))
    run = on_day(1, on("a", "GPU-1"), on("b", "GPU-2"), on("c", "GPU-1", "GPU-2"), on("d"), rig=rig)
    baseline = accept(EMPTY, run).baseline
    assert [baseline.of(test)[0].run.rig.devices for test in "abcd"] == [
        (H200,),
        (second,),
        (H200, second),
        (H200, second),
    ]
