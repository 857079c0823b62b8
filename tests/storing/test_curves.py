import json
from typing import Any

import pytest
from samples import a_record

from pytest_whq.errors import RunFileError
from pytest_whq.model import PowerCurve
from pytest_whq.storing.records import record_as_dict, record_from_dict

CURVE = PowerCurve(1000.25, 0.02, (70.0, None, 400.5), ((1000.27, 1000.3),))


def with_curve(**changes: Any) -> Any:
    """A stored record whose curve has these fields in place of its own."""
    record = json.loads(json.dumps(record_as_dict(a_record(power=CURVE))))
    record["power"] |= changes
    return record


def test_a_curve_is_stored_with_its_record() -> None:
    assert with_curve()["power"] == {
        "start_s": 1000.25,
        "step_s": 0.02,
        "power_w": [70.0, None, 400.5],
        "windows_s": [[1000.27, 1000.3]],
    }
    assert record_from_dict(with_curve(), "it") == a_record(power=CURVE)


def test_a_record_without_a_curve_has_no_such_field_and_is_read() -> None:
    stored = record_as_dict(a_record())
    assert "power" not in stored
    assert record_from_dict(stored, "it") == a_record()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"step_s": 0}, "power.step_s is 0, but must be a number above 0"),
        ({"power_w": [float("nan"), 1.0]}, "but its numbers must be finite and from 0 up"),
        ({"power_w": [1e308, 1e308]}, "but its numbers must be finite and from 0 up"),
        ({"power_w": [5.0, -1.0]}, "power.power_w is [5.0, -1.0], but its numbers"),
        ({"power_w": [True]}, "power.power_w is [true], but must be a list of at most 1000"),
        ({"power_w": [0] * 1001}, "but must be a list of at most 1000 numbers or nulls"),
        ({"windows_s": [[2, 1]]}, "power.windows_s[0] is [2, 1], but its lower end must come first"),
        ({"more": 1}, "power.more is not a field of this format"),
    ],
)
def test_a_curve_is_read_strictly(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RunFileError) as caught:
        record_from_dict(with_curve(**changes), "it")
    assert field in str(caught.value)
