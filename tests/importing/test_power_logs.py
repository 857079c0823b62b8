"""Power logs of every tool are read, whatever their columns, units and times, and what is odd is said."""

from pathlib import Path

import pytest
from imported import trace

from pytest_whq.errors import ImportedFileError, SettingError
from pytest_whq.importing.power.clock import Moment, moment_of, offset_given, offset_that_fits
from pytest_whq.importing.power.device_logs import PowerLog
from pytest_whq.importing.power.log import read_log
from pytest_whq.joules.polled_power import polling_of

START_S = 1781150400.0
"""2026-06-11 04:00:00 UTC."""


def log_of(path: Path, text: str, **given: object) -> PowerLog:
    path.write_text(text, "utf-8")
    return read_log(path, **given)  # type: ignore[arg-type]


def readings(log: PowerLog) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(round(time_s, 6), power_w) for time_s, power_w in zip(one.times_s, one.powers_w, strict=True)]
        for name, one in log.devices.items()
    }


LOGS = {
    "nvidia-smi": (
        "timestamp, index, power.draw [W], temperature.gpu\n"
        "2026/06/11 04:00:00.250, 0, 300.50 W, 61\n2026/06/11 04:00:00.250, 1, 80.00 W, 30\n"
    ),
    "columns in another order, nounits": (
        "power.draw [W], utilization.gpu [%], index, timestamp\n"
        "300.5, 97 %, 0, 2026/06/11 04:00:00.250\n80.0, 0 %, 1, 2026/06/11 04:00:00.250\n"
    ),
    "amd-smi": (
        "timestamp,gpu,gfx_activity,vcn_activity,socket_power\n\n1781150400.25,0,97,\"['N/A', 0]\",300.5\n"
        '\n1781150400.25,1,0,"[0, 0]",80.0\n'
    ),
    "milliwatts and nanoseconds": (
        "epoch_ns,gpu,power_mw\n1781150400250000000,0,300500\n1781150400250000000,1,80000\n"
    ),
    "milliseconds": "timestamp_ms,device,power_w\n1781150400250,0,300.5\n1781150400250,1,80\n",
    "kilowatts": "timestamp,gpu,Power (kW)\n1781150400.25,0,0.3005\n1781150400.25,1,0.08\n",
    "a name of nobody's": (
        "timestamp,gpu_id,gpu_power_draw_watts,power_limit\n1781150400.25,0,300.5,700\n1781150400.25,1,80,700\n"
    ),
    "semicolons and decimal commas": (
        "timestamp;index;power.draw [W]\n"
        "2026/06/11 04:00:00.250;0;300,50 W\n2026/06/11 04:00:00.250;1;80,00 W\n"
    ),
    "tabs": (
        "timestamp\tindex\tpower.draw [W]\n"
        "2026/06/11 04:00:00.250\t0\t300.50 W\n2026/06/11 04:00:00.250\t1\t80 W\n"
    ),
    "a zone": (
        "time,gpu_index,power_usage\n2026-06-11T13:00:00.25+09:00,0,300.5\n2026-06-11T13:00:00.25+09:00,1,80\n"
    ),
    "nvidia-smi dmon": (
        "#Date       Time        gpu    pwr  gtemp\n#YYYYMMDD   HH:MM:SS    Idx      W      C\n"
        " 20260611   04:00:00.25   0  300.5     61\n 20260611   04:00:00.25   1     80     30\n"
    ),
}


@pytest.mark.parametrize("text", LOGS.values(), ids=LOGS)
def test_each_form_gives_the_same_readings(text: str, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", text)
    assert readings(log) == {"0": [(START_S + 0.25, 300.5)], "1": [(START_S + 0.25, 80.0)]}
    assert log.notes == ()


def test_what_a_windows_shell_has_redirected_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(LOGS["nvidia-smi"].encode("utf-16"))
    assert readings(read_log(path)) == {"0": [(START_S + 0.25, 300.5)], "1": [(START_S + 0.25, 80.0)]}


@pytest.mark.parametrize("header", ["# Entity  POWER\n      Id\n", "# gpu    pwr\n# Idx      W\n"])
def test_a_header_that_begins_with_a_mark_names_the_columns_behind_it(header: str, tmp_path: Path) -> None:
    device = "GPU " if "Entity" in header else "    "
    text = f"{header}    {device}0  300.5\n    {device}1  80.0\n"
    log = log_of(tmp_path / "log", text, start=Moment(START_S, False), step_s=0.5)
    assert {name: watts for name, ((_, watts),) in readings(log).items()} == {"0": 300.5, "1": 80.0}


def test_lines_that_name_no_device_are_one_device_s_unless_they_come_in_bursts(tmp_path: Path) -> None:
    header = "timestamp, power.draw [W]\n"
    alone = [f"{START_S + second:.3f}, {300 + second % 2} W\n" for second in range(20)]
    log = log_of(tmp_path / "log", header + "".join(alone))
    assert [len(one) for one in readings(log).values()] == [20]
    assert "no column tells devices apart" in "\n".join(log.notes)
    beside = [f"{START_S + second + 0.04:.3f}, 80 W\n" for second in range(20)]
    at_once = [f"{START_S + second:.3f}, 80 W\n" for second in range(20)]
    for other in (beside, at_once):
        lines = "".join(line for pair in zip(alone, other, strict=True) for line in pair)
        with pytest.raises(ImportedFileError, match=r"(19|20) lines of it.*seem to be of several devices"):
            log_of(tmp_path / "log", header + lines)
    # Written twice, a line is still one.
    log = log_of(tmp_path / "log", header + "".join(line for line in alone for _ in range(2)))
    assert [len(one) for one in readings(log).values()] == [20]


def test_dcgmi_dmon_needs_to_be_told_its_times(tmp_path: Path) -> None:
    text = (
        "#Entity   GPUTL  POWER\nID               W\nGPU 0     97     300.5\nGPU 1     0      80.0\n"
        "GPU 0     97     310.5\nGPU 1     0      81.0\n"
    )
    with pytest.raises(ImportedFileError, match=r"has no column of time.*--log-start and --log-step"):
        log_of(tmp_path / "log", text)
    log = log_of(tmp_path / "log", text, start=Moment(START_S, False), step_s=0.5)
    assert readings(log) == {
        "0": [(START_S, 300.5), (START_S + 0.5, 310.5)],
        "1": [(START_S, 80.0), (START_S + 0.5, 81.0)],
    }


HEADER = "timestamp, index, power.draw [W]\n"


def at(second: float, power: str, gpu: int = 0) -> str:
    return f"2026/06/11 04:00:{second:06.3f}, {gpu}, {power}\n"


@pytest.mark.parametrize(
    ("lines", "note", "left"),
    [
        (
            at(0, "100 W") + at(1, "[N/A]") + at(2, "300 W"),
            "left out 1 line without a power that can be read",
            2,
        ),
        (
            at(0, "100 W") + at(1, "-5 W") + at(2, "9223372036854775794 W"),
            "2 lines with a power below 0 or above",
            1,
        ),
        (
            at(0, "100 W") + at(1, "0.00 W") + at(2, "300 W"),
            "left out 1 line with a power of 0 W, which is no reading: no device draws nothing",
            2,
        ),
        (at(0, "100 W") + at(1, "nan W") + at(2, "inf W"), "2 lines with a power below 0 or above", 1),
        (
            at(0, "100 W") + at(0, "200 W") + at(1, "300 W"),
            "1 line with the moment of another line of the same device",
            2,
        ),
        (
            at(50, "100 W") + at(10, "200 W") + at(11, "300 W"),
            "device 0 goes back by 40.0 s: its clock was set",
            3,
        ),
        (at(0, "100 W") + "yesterday, 0, 300 W\n", "1 line without a time that can be read", 1),
        (at(0, "100 W") + "2026/06/11 04:00:01.000, 0", "left out 1 line cut short", 1),
        (at(0, "100 W") + HEADER + at(1, "200 W"), "", 2),
        (at(1, "100 W") + at(0.5, "200 W"), "", 2),
    ],
)
def test_odd_lines_are_told_and_the_others_stay(lines: str, note: str, left: int, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", HEADER + lines)
    assert note in "".join(log.notes)
    assert bool(note) == bool(log.notes)
    assert len(log.devices["0"].times_s) == left
    assert list(log.devices["0"].times_s) == sorted(log.devices["0"].times_s)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column of power"),
        ("time,temperature\n1,2\n", "has no column of power: its first line names time, temperature"),
        (HEADER, "has no line with a time and a power that can be read"),
        (
            HEADER + "2026/06/11 04:00:00.000, 0, 0 W\n2026/06/11 04:00:01.000, 0, 0 W\n",
            "has no line with a time and a power that can be read: left out 2 lines with a power of 0 W",
        ),
        ('{"a": 1}\n', "has no column of power"),
        ("time,gpu,power (kVA)\n1,0,2\n", "has power in kVA, which is not known here. Give watts."),
    ],
)
def test_what_is_no_log_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ImportedFileError, match=sentence):
        log_of(tmp_path / "log", text)


def test_a_board_that_shows_a_new_value_each_500_ms_is_a_500_ms_board(tmp_path: Path) -> None:
    for device in read_log(Path(trace(tmp_path / "log.csv"))).devices.values():
        polling = polling_of(device.times_s, device.powers_w)
        assert polling.step_s == pytest.approx(0.05, rel=0.01)
        assert polling.refresh_s == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026/06/11 04:00:00.250", Moment(START_S + 0.25, True)),
        ("2026-06-11T04:00:00Z", Moment(START_S, False)),
        ("2026-06-11 13:00:00+0900", Moment(START_S, False)),
        ("1781150400", Moment(START_S, False)),
        ("1781150400000", Moment(START_S, False)),
        ("1781150400000000000", Moment(START_S, False)),
        ("20260611 04:00:00", Moment(START_S, True)),
        ("12:00:00", None),
        ("17", None),
        ("2026-13-11 04:00:00", None),
    ],
)
def test_a_moment_is_read_in_any_of_its_forms(text: str, moment: Moment | None) -> None:
    assert moment_of(text) == moment


def test_an_offset_is_guessed_only_where_one_alone_fits() -> None:
    span = (START_S, START_S + 100)
    tokyo = START_S + 9 * 3600
    assert offset_that_fits((tokyo - 60, tokyo + 160), [span], "log") == 9 * 3600
    with pytest.raises(ImportedFileError, match="4 offsets from UTC make them cover the benchmark"):
        offset_that_fits((tokyo - 60, tokyo + 2 * 3600), [span], "log")
    with pytest.raises(ImportedFileError, match="no offset from UTC makes them cover the benchmark"):
        offset_that_fits((tokyo, tokyo + 50), [span], "log")


@pytest.mark.parametrize(
    ("text", "hours"), [("+9", 9), ("-03:30", -3.5), ("5.75", 5.75), ("0", 0), ("+0930", 9.5)]
)
def test_an_offset_is_given_in_hours(text: str, hours: float) -> None:
    assert offset_given(text) == hours * 3600


@pytest.mark.parametrize("text", ["", "JST", "+15", "1:75"])
def test_an_offset_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="--utc-offset must be hours"):
        offset_given(text)
