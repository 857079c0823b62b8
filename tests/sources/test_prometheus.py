from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from http_answers import Answer
from scraper import Scraper

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.model import Device, Measurement
from pytest_whq.scraping.prometheus import TOKEN, TOKEN_FILE
from pytest_whq.sources import open_source, parts_of
from pytest_whq.sources.remote.prometheus import PrometheusSource
from pytest_whq.testing import FakeClock, ScriptedSource, measured_window

ENERGY, POWER = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE"


def labels(name: str = ENERGY, uuid: str = "GPU-1", **more: str) -> dict[str, str]:
    return {"__name__": name, "UUID": uuid, "modelName": "NVIDIA H100", "Hostname": "node-1", **more}


def gpu(clock: FakeClock, **how: Any) -> ScriptedSource:
    return ScriptedSource(clock, 100.0, period_s=0.1, **how)


@contextmanager
def opened(
    scraper: Scraper, selector: str | None = None, devices: str | None = None
) -> Iterator[PrometheusSource]:
    """The source, once a minute has been scraped."""
    scraper.clock.sleep(60.0)
    with (
        scraper.serve() as address,
        closing(PrometheusSource(address, devices, selector, scraper.clock.now)) as source,
    ):
        yield source


def measured(source: PrometheusSource, scraper: Scraper, seconds: float) -> Measurement:
    """A window in which every GPU draws 500 W, between 100 W on both sides."""

    def draw(watts: float) -> None:
        for gpu, _ in scraper.gpus:
            gpu.set_watts(watts)

    def body() -> None:
        draw(500.0)
        scraper.clock.sleep(seconds)
        draw(100.0)

    return measured_window(source, scraper.clock, body)


def why_not(scraper: Scraper, selector: str | None = None, devices: str | None = None) -> str:
    """Why it cannot be measured, less the address."""
    with pytest.raises(SourceError) as caught, opened(scraper, selector, devices):
        pass
    return str(caught.value)


@pytest.mark.parametrize(("interval_s", "tolerance"), [(1.0, 0.01), (5.0, 0.03)])
def test_the_counters_give_the_joules_of_a_load_that_steps_between_scrapes(
    interval_s: float, tolerance: float
) -> None:
    clock = FakeClock()
    gpus = [(gpu(clock), labels(uuid=uuid)) for uuid in ("GPU-1", "GPU-2")]
    scraper = Scraper(clock, gpus, interval_s=interval_s)
    with opened(scraper) as source:
        clock.sleep(0.37)
        measurement = measured(source, scraper, 30.4)
    assert measurement.method == "counter"
    assert measurement.energy_j is not None
    assert measurement.uncertainty_j is not None
    assert measurement.energy_j == pytest.approx(2 * 500 * 30.4, rel=tolerance)
    assert abs(measurement.energy_j - 2 * 500 * 30.4) < 2 * measurement.uncertainty_j
    assert [device.id for device in measurement.devices] == ["GPU-1", "GPU-2"]


def test_a_gauge_alone_is_integrated() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock, counter=False), labels(POWER))])
    with opened(scraper) as source:
        measurement = measured(source, scraper, 30.0)
    assert measurement.method == "power"
    assert measurement.energy_j == pytest.approx(15_000, rel=0.03)


def test_samples_become_readings_in_the_time_of_this_machine() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels())], interval_s=10.0)
    with opened(scraper) as source:
        assert source.devices() == (Device("GPU-1", "NVIDIA H100"),)
        first, *_, before, last = source.read()
        assert (first.device_id, first.energy_j) == ("GPU-1", 0.0)
        times_s = [first.time_s, before.time_s, last.time_s]
        assert times_s == pytest.approx([1000.0, 1059.0, 1060.0], abs=1e-3)
        assert [before.energy_j, last.energy_j] == pytest.approx([5000.0, 6000.0])
        assert source.read() == ()
        clock.sleep(2.0)
        assert source.read() == ()
        clock.sleep(9.0)
        assert [reading.energy_j for reading in source.read()] == pytest.approx([6000.0, 7000.0])
        assert source.scope == "gpu"
        assert source.settles_s == pytest.approx(35.0)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("gpu_energy_consumed", 1e6),
        ("meter_joules_total", 1.0),
        ("pdu_energy_wh", 1 / 3600),
        ("x_mj_total", 1e3),
    ],
)
def test_the_name_of_a_metric_tells_its_unit(name: str, factor: float) -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), {"__name__": name, "instance": "n1"})], factor=factor)
    with opened(scraper, f'{name}{{instance="n1"}}') as source:
        *_, last = source.read()
        assert last.device_id == "instance=n1"
        assert last.energy_j == pytest.approx(6000.0)


def test_a_preset_takes_the_first_of_its_metrics_that_is_there() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock, counter=False), labels("gpu_package_power"))])
    with opened(scraper, "amd") as source:
        assert source.read()[-1].power_w == pytest.approx(100.0)
        assert source.sensors == {"GPU-1": ("power",)}


def test_series_that_repeat_a_board_count_once() -> None:
    clock = FakeClock()
    board = gpu(clock)
    repeated = [(board, labels(GPU_I_ID="1")), (board, labels(GPU_I_ID="2")), (board, labels(job="again"))]
    with opened(Scraper(clock, repeated)) as source:
        assert {reading.device_id for reading in source.read()} == {"GPU-1"}
        assert len(source.devices()) == 1


def test_devices_are_chosen_by_their_ids() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels(uuid=uuid)) for uuid in ("GPU-1", "GPU-2")])
    with opened(scraper, devices="GPU-2") as source:
        assert {reading.device_id for reading in source.read()} == {"GPU-2"}
    assert why_not(scraper, devices="GPU-3") == (
        "prometheus: --whq-devices cannot be 'GPU-3'. The devices are GPU-1; GPU-2."
    )


def test_samples_that_are_no_number_are_left_out() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels())])
    with opened(scraper) as source:
        scraper.samples[0][-1] = (scraper.samples[0][-1][0], "NaN")
        assert source.read()[-1].energy_j == pytest.approx(5900.0)


def test_a_target_that_is_scraped_no_more_makes_the_window_invalid_and_is_named() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels()), (gpu(clock), labels(uuid="GPU-2"))])
    with opened(scraper) as source:

        def body() -> None:
            scraper.silent.add(1)
            clock.sleep(20.0)

        (reason, *_) = measured_window(source, clock, body).reasons
    assert reason.code == "source_error"
    assert reason.sentence.startswith("prometheus: GPU-2 was not scraped for ")


def test_an_exporter_that_restarts_in_the_window_is_found() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels())])
    with opened(scraper) as source:

        def body() -> None:
            clock.sleep(5.0)
            scraper.gpus[0] = (gpu(clock), labels())
            clock.sleep(5.0)

        assert measured_window(source, clock, body).reasons[0].code == "counter_reset"


def test_what_does_not_fit_says_so() -> None:
    clock = FakeClock()
    scraper = Scraper(clock, [(gpu(clock), labels())])
    with scraper.serve() as address:
        nothing = why_not(scraper, "kepler")
        assert nothing.startswith(
            'prometheus: no series of kepler_node_cpu_joules_total{zone="package"} has a sample of the last '
            "5 minutes in http://127.0.0.1:"
        )
        for text in ("<html>", '{"data": {"result": [1]}}', '{"data": {"result": ["x", "y"]}}'):
            scraper.fails = Answer(text)
            assert "answers with something else than a Prometheus does. A proxy" in why_not(scraper)
        scraper.fails = Answer("", 400)
        assert why_not(scraper).endswith(
            "it does not take what it is asked for: check its address, or --whq-prometheus-query."
        )
    assert address


def test_zones_that_overlap_are_not_added() -> None:
    clock = FakeClock()
    name = "kepler_node_cpu_joules_total"
    zones = [(gpu(clock), {"__name__": name, "zone": zone}) for zone in ("package", "core")]
    assert why_not(Scraper(clock, zones), name) == (
        f"prometheus: {name} has the zones core, package, which overlap: their sum would count energy "
        'twice. Choose one, such as {zone="package"}.'
    )


def test_a_target_that_was_scraped_once_is_refused() -> None:
    clock = FakeClock()
    assert why_not(Scraper(clock, [(gpu(clock), labels())], interval_s=400.0)) == (
        f"prometheus: {ENERGY} was scraped once in 5 minutes, too seldom to measure by. "
        "Give its target a shorter scrape_interval."
    )


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        (
            "rate(x_joules_total[1m])",
            "--whq-prometheus-query must be one of dcgm, amd, kepler, platform, rapl or a metric",
        ),
        (
            "x_total",
            "--whq-prometheus-query cannot be 'x_total': its name does not tell the unit",
        ),
    ],
)
def test_what_is_no_selector_is_refused_at_the_start(selector: str, says: str) -> None:
    with pytest.raises(SettingError, match=f"^{says}"):
        open_source("prometheus:http://127.0.0.1:1", selector=selector)


@pytest.mark.parametrize("how", ["variable", "file", "address"])
def test_passwords_and_tokens_are_sent_and_never_shown(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    scraper = Scraper(FakeClock(), [])
    scraper.fails = Answer("no", 403)
    with scraper.serve() as address:
        given, sent = address, "Bearer secret"
        if how == "variable":
            monkeypatch.setenv(TOKEN, "secret")
        elif how == "file":
            (tmp_path / "token").write_text("secret\n", "utf-8")
            monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
        else:
            given, sent = address.replace("http://", "http://me:secret@"), "Basic bWU6c2VjcmV0"
        with pytest.raises(SourceError) as caught:
            open_source(f"prometheus:{given}")
        assert str(caught.value) == (
            f"prometheus: {address} answers 403: check the user and the password, or the token."
        )
    assert scraper.asked == [("time()", sent)]


def test_a_file_without_a_token_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "none"))
    with pytest.raises(SettingError, match=f"^{TOKEN_FILE} names a file that cannot be read: "):
        PrometheusSource("http://127.0.0.1:1")


@pytest.mark.parametrize("token", ["s3c\nret", "s3c ret", "s3cr\u0142t"])
@pytest.mark.parametrize("by", [TOKEN, TOKEN_FILE])
def test_a_token_that_no_header_can_hold_is_refused_at_the_start_and_not_shown(
    token: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(token, "utf-8")
    monkeypatch.setenv(by, token if by == TOKEN else str(tmp_path / "token"))
    with pytest.raises(SettingError) as refused:
        parts_of("prometheus:http://127.0.0.1:1", {})
    assert str(refused.value) == f"{by} gives a token with a character that none has. Give the token alone."


def test_kepler_s_platform_is_the_whole_node_and_its_meter_may_stop() -> None:
    clock = FakeClock()
    labels = {"__name__": "kepler_platform_watts", "source": "redfish", "node_name": "node-1"}
    node = ScriptedSource(clock, 600.0, counter=False, averaging_s=1.0, noise=0.05)
    scraper = Scraper(clock, [(node, labels)])
    clock.sleep(20.0)
    with scraper.serve() as address:
        source = PrometheusSource(address, None, "platform", clock.now)
        assert source.scope == "node"
        assert source.power_averaging_s == {"node_name=node-1,source=redfish": pytest.approx(13.0)}
        found = measured_window(source, clock, lambda: node.call(90.0, 3000.0))
        assert found.energy_j == pytest.approx(90.0 * 3000.0, rel=0.03)
        node.alter = lambda reading: replace(reading, power_w=515.0)
        clock.sleep(5.0)
        (reason, *_) = measured_window(source, clock, lambda: node.call(90.0, 3000.0)).reasons
        assert reason.code == "source_error"
        assert reason.sentence.startswith(
            "prometheus: the meter of node_name=node-1,source=redfish has shown"
        )


def test_meters_of_the_same_node_are_not_added_up() -> None:
    clock = FakeClock()
    both = [{"__name__": "kepler_platform_watts", "source": one} for one in ("acpi", "redfish")]
    scraper = Scraper(clock, [(ScriptedSource(clock, 600.0, counter=False), labels) for labels in both])
    clock.sleep(20.0)
    with scraper.serve() as address, pytest.raises(SourceError) as caught:
        PrometheusSource(address, None, "kepler_platform_watts", clock.now)
    assert "has the sources acpi, redfish, which overlap" in str(caught.value)
    assert 'such as {source="redfish"}' in str(caught.value)
