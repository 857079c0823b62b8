import pytest
from exporter import Exporter

from pytest_whq.model import Device
from pytest_whq.scraping.exposition import NotMetricsError, Sample, samples
from pytest_whq.sources.remote.boards import boards_in
from pytest_whq.testing import FakeClock

ENERGY, POWER = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE"


@pytest.fixture
def exporter() -> Exporter:
    return Exporter(FakeClock(), "node-1")


def test_a_gpu_has_what_its_lines_say(exporter: Exporter) -> None:
    lines = [exporter.line(ENERGY, 0, 319159391), exporter.line(POWER, 0, "409.692000")]
    lines += [exporter.line("DCGM_FI_DEV_POWER_MGMT_LIMIT", 0, 1200), exporter.line("DCGM_FI_DEV_XID", 0, 0)]
    (board,) = boards_in("".join(lines), "host").values()
    assert board.device == Device("GPU-node-1-0", "NVIDIA GB200", 1200.0)
    assert (board.node, board.energy_j, board.power_w) == ("node-1", 319159.391, 409.692)


def test_a_board_in_mig_mode_counts_once(exporter: Exporter) -> None:
    lines = [
        exporter.line(POWER, 0, 400.5, f',GPU_I_PROFILE="1g.5gb",GPU_I_ID="{instance}"')
        for instance in (7, 8, 9)
    ]
    (board,) = boards_in("".join(lines), "host").values()
    assert (board.id, board.power_w) == ("GPU-node-1-0", 400.5)


@pytest.mark.parametrize(
    "blank", ["9223372036854775794", "9223372036854775792", "140737488355328", "NaN", "+Inf", "-1"]
)
def test_blank_values_are_unknown(exporter: Exporter, blank: str) -> None:
    text = exporter.line(ENERGY, 0, blank) + exporter.line(POWER, 0, 80)
    (board,) = boards_in(text, "host").values()
    assert (board.energy_j, board.power_w) == (None, 80.0)
    assert boards_in(exporter.line(ENERGY, 0, blank) + exporter.line(POWER, 0, "2147483632"), "host") == {}


def test_what_is_no_gpu_is_not_one() -> None:
    assert boards_in(f'{POWER} 12\n{POWER}_SUM{{gpu="0"}} 12\n', "host") == {}


def test_a_gpu_without_a_uuid_is_known_by_its_node_and_number() -> None:
    assert list(boards_in(f'{POWER}{{gpu="3"}} 12\n', "10.0.0.7")) == ["10.0.0.7/gpu3"]


def test_the_label_of_a_uuid_may_be_small() -> None:
    assert list(boards_in(f'{POWER}{{gpu="3",uuid="GPU-a"}} 12\n', "10.0.0.7")) == ["GPU-a"]


def test_samples_are_read_as_prometheus_reads_them() -> None:
    text = '# HELP m x\r\nm 1e3\nm{a="x\\"},{\\\\\\n", b = "",} NaN 1700000000000\nother 2\nm2 3\n'
    first, second = samples(text, ["m"])
    assert first == Sample("m", {}, 1000.0)
    assert second.labels == {"a": 'x"},{\\\n', "b": ""}
    assert second.value != second.value


def test_what_openmetrics_has_behind_a_value_is_passed_over() -> None:
    text = 'up 1\nm{a="} # {x"} 2 1700000000.5 # {trace="b"} 1 2\nm 3 # {trace="b"} 1\n# EOF\n'
    assert list(samples(text, ["m"])) == [Sample("m", {"a": "} # {x"}, 2.0), Sample("m", {}, 3.0)]


@pytest.mark.parametrize(
    "line", ["m{a=1} 2", 'm{a="1" 2', 'm{a="1"}', 'm{a="1",a="2"} 3', "m{} x", 'm{a="1"b="2"} 3', "m 1 2 3"]
)
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(NotMetricsError):
        list(samples(f"# fine\n{line}\n", ["m"]))


def test_only_a_line_feed_ends_a_line() -> None:
    text = 'up 1\r\nm{of="a\u2028b\x0cc"} 2\r\n'
    assert list(samples(text, ["m"])) == [Sample("m", {"of": "a\u2028b\x0cc"}, 2.0)]


def test_lines_of_other_metrics_are_not_looked_at() -> None:
    assert list(samples("up 1\n{{{\nm 2\n", ["m"])) == [Sample("m", {}, 2.0)]
