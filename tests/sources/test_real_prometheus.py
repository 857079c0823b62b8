"""A real Prometheus: one that scrapes simulated GPUs each second, and one that has scraped two hours."""

import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from http_answers import Answer, answering
from imported import imported, notes
from production import LASTS_S, PERIOD, START_S, Production
from real_prometheus import RealPrometheus
from simulated_nvml import SimulatedNvml

from pytest_whq.errors import SourceError
from pytest_whq.joules.spans import Span
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Measurement
from pytest_whq.sources.nvml.source import NvmlSource
from pytest_whq.sources.remote.dcgm import DcgmSource
from pytest_whq.sources.remote.prometheus import PrometheusSource
from pytest_whq.units import format_moment

pytestmark = pytest.mark.once

WINDOW_S = 10.0


class DcgmExporter:
    """dcgm-exporter's page of the GPUs that ``source`` reads, at which it looks each second."""

    def __init__(self, source: NvmlSource) -> None:
        self._source, self._page, self._looked_s = source, "", 0.0

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        """What it saw last."""
        if time.monotonic() - self._looked_s >= 1.0:
            self._looked_s = time.monotonic()
            self._page = "".join(self._lines())
        return Answer(self._page)

    def _lines(self) -> list[str]:
        lines = ["# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n"]
        for number, (device, reading) in enumerate(
            zip(self._source.devices(), self._source.read(), strict=True)
        ):
            labels = f'gpu="{number}",UUID="{device.id}",modelName="{device.name}",Hostname="node-1"'
            assert reading.energy_j is not None
            energy_mj = round(reading.energy_j * 1000)
            lines.append(f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {energy_mj}\n")
            lines.append(f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} {reading.power_w}\n")
        return lines


def test_a_window_through_a_prometheus_and_one_through_its_exporter_are_right(
    real_prometheus: RealPrometheus,
) -> None:
    with ExitStack() as stack:
        nvml = stack.enter_context(SimulatedNvml(gpus=2))
        source = stack.enter_context(closing(NvmlSource()))
        exporter = stack.enter_context(answering(DcgmExporter(source).answer))
        address = stack.enter_context(real_prometheus.serve({"dcgm": exporter}))
        scraped = stack.enter_context(closing(opened(address)))
        direct = stack.enter_context(closing(DcgmSource(exporter)))
        meters = [Meter(SystemClock(), Sampler(each, SystemClock())) for each in (direct, scraped)]
        for meter in meters:
            wait(SystemClock(), meter.open())
        for meter in meters:
            meter.begin()
        with ExitStack() as busy:
            for gpu in nvml.gpus:
                busy.enter_context(gpu.busy(450.0))
            time.sleep(WINDOW_S)
        for meter in meters:
            meter.end()
        for meter in meters:
            wait(SystemClock(), meter.close())
        for meter in meters:
            (span,) = meter.spans
            true_j = sum(gpu.true_energy_j(span.start_s, span.end_s) for gpu in nvml.gpus)
            assert_right(meter.measurement(precision=0.2), true_j)


def opened(address: str) -> PrometheusSource:
    """The source, once something has been scraped twice: at first a Prometheus takes some seconds."""
    for _ in range(60):
        with suppress(SourceError):
            return PrometheusSource(address)
        time.sleep(0.25)
    return PrometheusSource(address)


def assert_right(measurement: Measurement, true_j: float) -> None:
    """Within two of its uncertainties, which are small."""
    assert measurement.energy_j is not None, measurement.reasons
    assert measurement.uncertainty_j is not None
    assert measurement.method == "counter"
    assert 2 * measurement.uncertainty_j < 0.05 * true_j
    assert abs(measurement.energy_j - true_j) < 2 * measurement.uncertainty_j + 0.005 * true_j


def openmetrics(production: Production) -> str:
    """All that was scraped, as promtool takes it."""
    lines = []
    for labels, samples in sorted(production.series().items(), key=lambda one: dict(one[0])["__name__"]):
        name = dict(labels)["__name__"]
        told = ",".join(f'{label}="{value}"' for label, value in labels if label != "__name__")
        lines += [f"{name}{{{told}}} {value} {time_s:.3f}" for time_s, value in samples]
    return "\n".join([*lines, "# EOF", ""])


def test_two_hours_in_which_all_goes_wrong_are_right_or_named(
    real_prometheus: RealPrometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    production = Production(exporter_restart=1000, engine_restart=2000, gap=(3000, 3300), leaves=3600 + 1800)
    real_prometheus.backfill(openmetrics(production))
    times = ["--start", format_moment(PERIOD.start_s), "--end", format_moment(PERIOD.end_s)]
    with real_prometheus.serve() as address:
        whole = imported(tmp_path / "whole.json", "prometheus", address, *times, "--queries", "vllm")
        hours = imported(
            tmp_path / "hours.json", "prometheus", address, *times, "--queries", "vllm", "--by", "hour"
        )
    (reason,) = whole.records[0].measurement.reasons
    assert reason.sentence.startswith(
        "the energy of the period is not complete: GPU-0 and 1 more: count began"
    )
    assert "GPU-2 and 1 more: last seen at " in reason.sentence
    assert whole.records[0].measurement.queries == pytest.approx(production.true_queries(), rel=0.01)
    first, second = (record.measurement for record in hours.records)
    hour = Span(START_S, START_S + LASTS_S / 2)
    assert (first.valid, first.reasons) == (True, ())
    assert first.energy_j == pytest.approx(production.true_j(hour), rel=0.01)
    assert first.queries == pytest.approx(production.true_queries(hour), rel=0.01)
    for what in ("vLLM at node-1:8000: count began anew", "GPU-0 and 3 more: not scraped"):
        assert what in notes(hours)
    assert (second.energy_j, second.valid) == (None, False)
