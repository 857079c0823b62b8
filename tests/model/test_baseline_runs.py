"""A baseline shown as the runs of which it was made: what its records say of how they were made."""

from dataclasses import replace
from typing import Any

import pytest
from samples import RIG, a_record, a_run

from pytest_whq.footprint.footprint import overhead_of
from pytest_whq.model import Measurement, Rig
from pytest_whq.model.baseline import Baseline, accept
from pytest_whq.model.baseline_runs import runs_in
from pytest_whq.model.place import Overhead, Place
from pytest_whq.model.reasons import ESTIMATED, ESTIMATED_BY_TOOL
from pytest_whq.model.rig import ELSEWHERE
from pytest_whq.rendering.words import spread

IMPORTED = replace(RIG, source="optimum", host=ELSEWHERE)


def shown(rig: Rig = RIG, **changes: Any) -> Measurement:
    """What a baseline shows of a record with ``changes``, once that was accepted."""
    (run,) = runs_in(accept(Baseline({}), a_run(a_record(**changes), rig=rig)).baseline)
    return run.records[0].measurement


@pytest.mark.parametrize(("rig", "warning"), [(RIG, ESTIMATED), (IMPORTED, ESTIMATED_BY_TOOL)])
def test_an_estimate_says_so_in_the_words_of_its_run(rig: Rig, warning: object) -> None:
    assert shown(rig, method="estimate", reasons=(warning,)).reasons == (warning,)


def test_an_estimate_has_no_spread_that_only_a_reading_could_have() -> None:
    changes: dict[str, Any] = {"interval95": {}, "uncertainty_j": 4.0}
    assert spread(shown(method="estimate", **changes)) is None
    assert spread(shown(method="counter", **changes)) is not None


def test_the_hall_is_not_added_to_modelled_power_that_has_it() -> None:
    place = Place(overhead=Overhead(1.3, None, "as given"))
    assert overhead_of(shown(method="modelled"), place) == 1.0
    assert overhead_of(shown(method="counter"), place) == 1.3


def test_what_was_read_from_a_sensor_has_no_warning() -> None:
    assert shown(method="counter").reasons == ()
