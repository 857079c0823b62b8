"""The series of a history: by test, by rig, in the order of time."""

from dataclasses import replace

import pytest
from kept_runs import CHAT, a_day, kept_runs
from samples import COMPARISON, H200, MEASUREMENT, NOTHING, RIG, WITHIN, a_record, a_run

from pytest_whq.history.change_points import Split, change_points
from pytest_whq.history.series import series_of
from pytest_whq.model import Device, DeviceEnergy
from pytest_whq.model.history import kept_of


def test_points_stand_in_the_order_of_time() -> None:
    (series,) = series_of(kept_runs([0.3, 0.1, 0.2])[::-1])
    assert (series.test, series.values_wh, series.changes) == (CHAT, [0.3, 0.1, 0.2], None)


def test_a_change_is_at_the_commit_that_began_the_new_level() -> None:
    (series,) = series_of(kept_runs([0.1] * 5 + [0.11] * 5), detector=change_points(0.01))
    assert series.changes is not None
    (change,) = series.changes
    assert change.commit is not None
    assert (change.commit.id, change.created[:10]) == ("06c0ffee", "2026-11-06")
    assert change.change == pytest.approx(0.1)
    assert [level[:2] for level in series.levels] == [(0, 5), (5, 10)]
    assert [level[2] for level in series.levels] == pytest.approx([0.1, 0.11])


def test_what_was_not_measured_is_no_point() -> None:
    (series,) = series_of(kept_runs([0.1, None, 0.2]))
    assert (series.values_wh, series.unmeasured) == ([0.1, 0.2], 1)


def test_a_test_that_never_was_measured_has_a_series_of_nothing() -> None:
    (series,) = series_of([kept_of(a_run(NOTHING))], detector=lambda values: [Split(0, 1, 2)])
    assert (series.points, series.unmeasured, series.changes) == ((), 1, None)


def test_boards_and_methods_have_series_of_their_own() -> None:
    other = replace(a_run(a_record(CHAT)), rig=replace(RIG, devices=(replace(H200, id="GPU-9"),)))
    by_power = a_run(a_record(CHAT, method="power"))
    runs = [kept_of(run) for run in (a_run(a_record(CHAT)), other, by_power)]
    assert [(s.rig.devices[0].id, s.method) for s in series_of(runs)] == [
        ("GPU-1", "counter"),
        ("GPU-9", "counter"),
        ("GPU-1", "power"),
    ]


def test_a_record_keeps_which_of_the_devices_it_is_of() -> None:
    rig = replace(RIG, devices=(H200, Device("GPU-2", "NVIDIA H200", 700.0)))
    run = kept_of(a_run(a_record(CHAT, devices=(DeviceEnergy("GPU-2", 884.0),)), rig=rig))
    assert run.rows[0].devices == (1,)
    assert run.rig_of(run.rows[0]).devices == rig.devices[1:]


def test_tests_are_chosen_by_a_pattern() -> None:
    runs = [kept_of(a_day(1, {"a::one": 0.1, "a::two": 0.2}))]
    assert [series.test for series in series_of(runs, "*two")] == ["a::two"]


def test_what_is_kept_is_the_figure_and_what_it_was_held_against() -> None:
    run = a_run(a_record(CHAT, budgets=(WITHIN,), comparison=COMPARISON))
    (row,) = kept_of(run).rows
    assert MEASUREMENT.wh_per_query == pytest.approx(row.wh_per_query, rel=1e-5)
    assert row == (CHAT, 0.0122778, 0.01205, 0.01251, 0.345313, 20, 0.05, 0.0119, "counter", None, None)


def test_a_figure_that_does_not_stand_is_kept_with_its_reason_only() -> None:
    ended = {CHAT: "failed", "b": "skipped", "c": "interrupted"}
    rows = kept_of(a_run(NOTHING, *(a_record(test, outcome=how) for test, how in ended.items()))).rows
    assert [(row.wh_per_query, row.why) for row in rows] == [
        (None, "no_source"),
        (None, "test_failed"),
        (None, "test_skipped"),
        (None, "test_interrupted"),
    ]
