"""Measuring in a script: settings by their names, a run file at its end."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from profiled_board import ProfiledSource
from sensor_profiles import PROFILES

import pytest_whq
from pytest_whq.model import CalibratedBoard, Device
from pytest_whq.storing.known_boards import keep_boards
from pytest_whq.storing.runfile import read_run
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

BOARD = Device(f"GPU-{__file__}", "Scripted H100", 700.0)


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """A clock of the test's own, by which sessions measure 360 W on a source called nvml."""
    clock = FakeClock()
    source = ScriptedSource(clock, watts=360.0, period_s=1e-6, device=BOARD)
    with sessions_measure(clock, nvml=lambda devices: source):
        yield clock


def test_a_call_is_measured_and_written(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    settings = {"source": "nvml", "rounds": 3, "max_seconds": 3, "idle_ok": True}
    with pytest_whq.session(json=path, name="a call", **settings) as whq:
        whq(clock.sleep, 1.0)
        assert whq.measurement.wh_per_query == pytest.approx(0.1)
    (record,) = read_run(path).records
    assert (record.test, record.outcome, len(record.measurement.rounds)) == ("a call", "passed", 3)


@pytest.mark.parametrize(
    ("error", "outcome"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "interrupted")]
)
def test_a_session_that_fails_keeps_what_it_measured(
    clock: FakeClock, tmp_path: Path, error: type[BaseException], outcome: str
) -> None:
    path = tmp_path / "run.json"

    def script() -> None:
        with pytest_whq.session(source="nvml", json=path, idle_ok=True) as whq:
            with whq.measure() as window:
                clock.sleep(5)
                window.record(output_tokens=7, input_tokens=1)
            raise error

    with pytest.raises(error):
        script()
    (record,) = read_run(path).records
    assert (record.outcome, record.measurement.tokens.output_tokens) == (outcome, 7)


def test_the_scripts_own_error_is_told_where_the_file_cannot_be_written(
    clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()

    def script() -> None:
        with pytest_whq.session(source="nvml", json=tmp_path / "taken" / "run.json", idle_ok=True) as whq:
            with whq.measure() as window:
                clock.sleep(5)
                window.record()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        script()
    assert raised.value.__notes__ == [
        (
            f"pytest-whq: {tmp_path}/taken/run.json cannot be written (Not a directory). "
            "Give the path of a file in a folder that is there and that you may write to."
        )
    ]


def test_the_folder_of_the_file_is_made(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.json"
    with (
        pytest_whq.session(source="nvml", json=path, idle_ok=True) as whq,
        whq.measure() as window,
    ):
        clock.sleep(5)
        window.record()
    assert len(read_run(path).records) == 1


def test_nothing_is_written_of_a_session_that_measured_nothing(clock: FakeClock, tmp_path: Path) -> None:
    with pytest_whq.session(source="nvml", json=tmp_path / "run.json"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"precison": "2%"}, r"session\(\) has no setting 'precison' \(did you mean precision\?\)\."),
        ({"min_seconds": 50}, "min_seconds is 50, above max_seconds, which is 30 unless it is given"),
        ({"rounds": 0}, "rounds must be a whole number of at least 1, not 0"),
        ({"source": "nvlm"}, "nvlm"),
        ({"source": 3}, "source must be a text, not 3"),
        ({"role": "prefill"}, "role cannot be 'prefill': it is ROLE=PATTERN"),
        ({"tokenizer": "gone.json"}, "gone.json"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_runs(settings: object, sentence: str) -> None:
    assert isinstance(settings, dict)
    with pytest.raises(pytest_whq.SettingError, match=sentence), pytest_whq.session(**settings):
        pytest.fail("it ran")


def test_a_session_takes_no_script_for_its_run_file(tmp_path: Path) -> None:
    script = tmp_path / "bench.py"
    script.write_text("print()\n")
    kept = "json cannot be .*bench.py': it is a .py file that is there, and no report"
    with pytest.raises(pytest_whq.SettingError, match=kept), pytest_whq.session(json=script):
        pytest.fail("it ran")


def test_the_door_stays_light_and_gives_the_same_twice() -> None:
    code = (
        "import sys, pytest_whq\n"
        "assert not {'pytest', 'numpy', 'pynvml', 'tabulate', 'argparse'} & set(sys.modules)\n"
        "assert len([name for name in sys.modules if name.startswith('pytest_whq')]) == 1\n"
        "assert pytest_whq.session is pytest_whq.session\n"
        "assert 'pytest' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("driver", "is_imprecise"), [("profiled", False), ("another", True), (None, True)])
def test_what_a_calibration_has_shown_of_a_board_is_known_to_sessions(
    driver: str | None, is_imprecise: bool
) -> None:
    clock = FakeClock()
    source = ProfiledSource(clock, PROFILES["ideal"], seed=1)
    (device,) = source.devices()
    when = "2026-11-26T03:00:00Z"
    board = CalibratedBoard(device.id, driver, device.power_limit_w, when, "whole", (0.0, 0.005))
    with sessions_measure(clock, nvml=lambda devices: source), pytest_whq.session(source="nvml") as whq:
        # Not before the source is opened, by the first window, is it read.
        keep_boards([board])
        with whq.measure() as window:
            source.set_watts(450.0)
            clock.sleep(0.3)
            source.rest()
            window.record(output_tokens=7, input_tokens=1)
        codes = [reason.code for reason in whq.measurement.reasons]
    assert ("imprecise" in codes) == is_imprecise
