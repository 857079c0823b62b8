from samples import H200

from pytest_whq.calibrating.calibration import Agreement, Calibration, SensorCalibration, ShortestWindow
from pytest_whq.rendering.sensor_table import render

COUNTER = SensorCalibration("energy counter", 0.1, 0.1, 0.00005)
SHORTEST = (ShortestWindow(0.01, 0.142), ShortestWindow(0.05, 0.0309))


def test_a_calibration_is_a_table_of_sensors_and_what_follows_for_windows() -> None:
    power = SensorCalibration("instant power", 0.1, 0.025, 0.00123)
    agreement = (Agreement(0.5, 0.74), Agreement(1.0, 0.8812), Agreement(10.0, 1.0004))
    found = Calibration(H200, "torch\x1b", 70.0, 450.0, (COUNTER, power), agreement, SHORTEST)
    assert (
        render([found, found]).split("\n\n")
        == [
            """\
NVIDIA H200, 700 W limit (GPU-1)
                 refreshes every   looks back over   a reading takes
energy counter   100 ms            100 ms            50.0 µs
instant power    100 ms            25.0 ms           1.23 ms
Counter over integrated power, since the load began: 0.740 over 0.5 s, 0.881 over 1 s, 1.000 over 10 s.
Shortest window: 142 ms for ± 1.0 %, 30.9 ms for ± 5.0 % (95 %), at a steady 450 W in it and 70.0 W around it.
Load: torch\\x1b."""
        ]
        * 2
    )


def test_what_was_not_seen_is_said() -> None:
    counter = SensorCalibration("energy counter", None, None, 0.00005)
    found = Calibration(H200, None, 70.0, 700.0, (counter,), (), (ShortestWindow(0.01, None), SHORTEST[1]))
    assert (
        render([found])
        == """\
NVIDIA H200, 700 W limit (GPU-1)
                 refreshes every   looks back over   a reading takes
energy counter   not seen          not seen          50.0 µs
Shortest window: not seen for ± 1.0 %, 30.9 ms for ± 5.0 % (95 %), at a steady 700 W, the power limit, in it \
and 70.0 W around it.
Calibrated at idle only, which tells neither what a sensor looks back over nor whether a counter lags: \
a load needs torch with CUDA, which does not work here."""
    )


def test_what_windows_have_shown_is_said() -> None:
    found = Calibration(H200, "torch", 70.0, 450.0, (COUNTER,), (), (), "whole", (0.0, 0.005))
    assert render([found]).splitlines()[-2] == (
        "The counter sees all that is drawn. Power falls with a time constant of 0 to 5 ms."
    )
