from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from exporter import Exporter
from http_answers import Answer, answering

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.model import DeviceState, Measurement, Reading
from pytest_whq.scraping.address import MOST_BYTES
from pytest_whq.sources import open_source
from pytest_whq.sources.remote.dcgm import DcgmSource
from pytest_whq.testing import FakeClock, measured_window


@contextmanager
def opened(clock: FakeClock, *exporters: Exporter, devices: str | None = None) -> Iterator[DcgmSource]:
    with ExitStack() as meanwhile:
        addresses = [meanwhile.enter_context(exporter.serve()) for exporter in exporters]
        yield meanwhile.enter_context(closing(DcgmSource(",".join(addresses), devices, clock.now)))


def measured(source: DcgmSource, clock: FakeClock, exporters: list[Exporter], seconds: float) -> Measurement:
    """A window in which every GPU draws 500 W, between 100 W on both sides."""

    def body() -> None:
        for exporter in exporters:
            for gpu in exporter.gpus:
                gpu.set_watts(500.0)
        clock.sleep(seconds)
        for exporter in exporters:
            for gpu in exporter.gpus:
                gpu.set_watts(100.0)

    clock.sleep(5.0)
    return measured_window(source, clock, body)


def why_not(answer: Answer) -> str:
    """Why what answers so cannot be measured, without the address."""
    with answering(lambda path, headers: answer) as address:
        with pytest.raises(SourceError) as caught:
            DcgmSource(address)
        assert caught.value.code == "source_error"
        return str(caught.value).replace(address, "ADDRESS")


@pytest.mark.parametrize(("seconds", "tolerance"), [(10.3, 0.03), (30.0, 0.01)])
def test_the_counters_of_two_nodes_give_the_joules_of_a_load(seconds: float, tolerance: float) -> None:
    clock = FakeClock()
    exporters = [Exporter(clock, "node-1", 2), Exporter(clock, "node-2", 2)]
    with opened(clock, *exporters) as source:
        measurement = measured(source, clock, exporters, seconds)
    assert measurement.method == "counter"
    assert [device.id for device in measurement.devices] == [
        *("GPU-node-1-0", "GPU-node-1-1", "GPU-node-2-0", "GPU-node-2-1")
    ]
    assert measurement.energy_j == pytest.approx(4 * 500 * seconds, rel=tolerance)
    assert measurement.energy_j is not None
    assert measurement.uncertainty_j is not None
    assert abs(measurement.energy_j - 4 * 500 * seconds) < 2 * measurement.uncertainty_j
    assert [reason.code for reason in measurement.reasons if reason.code != "tokens_missing"] in (
        [],
        ["imprecise"],
    )


def test_a_gauge_alone_is_integrated_where_the_window_is_long_enough_for_it() -> None:
    clock = FakeClock()
    exporters = [Exporter(clock, "node-1", counter=False)]
    with opened(clock, *exporters) as source:
        assert source.sensors == {"GPU-node-1-0": ("power",)}
        measurement = measured(source, clock, exporters, 30.0)
        assert measurement.method == "power"
        assert measurement.energy_j == pytest.approx(15_000, rel=0.03)
        (reason, *_) = measured(source, clock, exporters, 2.0).reasons
        assert reason.code == "window_too_short"


def test_an_exporter_is_looked_at_five_times_a_second_at_most() -> None:
    clock = FakeClock()
    with opened(clock, Exporter(clock, "node-1")) as source:
        assert source.read() == (Reading("GPU-node-1-0", 1000.0, 0.0, 100.0),)
        clock.sleep(0.19)
        assert source.read() == ()
        clock.sleep(0.02)
        assert len(source.read()) == 1
        assert source.state() == (DeviceState("GPU-node-1-0", temperature_c=41.0),)


@pytest.mark.parametrize("takes_s", [0.1, 0.3])
@pytest.mark.parametrize("counter", [True, False])
def test_an_exporter_that_is_slow_to_answer_is_still_looked_at_as_often_as_a_window_needs(
    takes_s: float, counter: bool
) -> None:
    clock = FakeClock()
    exporters = [Exporter(clock, "node-1", counter=counter, takes_s=takes_s)]
    with opened(clock, *exporters) as source:
        measurement = measured(source, clock, exporters, 30.0)
    assert measurement.method == ("counter" if counter else "power")
    assert measurement.valid
    assert measurement.energy_j == pytest.approx(15_000, rel=0.03)


def test_a_gpu_that_two_exporters_show_is_measured_once() -> None:
    clock = FakeClock()
    exporter = Exporter(clock, "node-1", 2)
    with opened(clock, exporter, exporter) as source:
        assert [device.id for device in source.devices()] == ["GPU-node-1-0", "GPU-node-1-1"]
        assert len(source.read()) == 2


def test_gpus_are_chosen_by_node_or_uuid() -> None:
    clock = FakeClock()
    exporters = [Exporter(clock, "node-1", 2), Exporter(clock, "node-2", 2)]
    exporters[1].label = "hostname"

    def chosen(devices: str) -> list[str]:
        with opened(clock, *exporters, devices=devices) as source:
            assert [reading.device_id for reading in source.read()] == [d.id for d in source.devices()]
            return [device.id for device in source.devices()]

    assert chosen("node-2") == ["GPU-node-2-0", "GPU-node-2-1"]
    assert chosen("GPU-node-2-1, node-1") == ["GPU-node-2-1", "GPU-node-1-0", "GPU-node-1-1"]
    assert len(chosen("all")) == 4
    with pytest.raises(SourceError) as caught:
        chosen("node-3")
    assert str(caught.value) == (
        "dcgm: --whq-devices cannot be 'node-3': no GPU or node is called so. The nodes are node-1, node-2."
    )


def test_a_node_that_stops_answering_makes_the_window_invalid_and_is_named() -> None:
    clock = FakeClock()
    exporters = [Exporter(clock, "node-1"), Exporter(clock, "node-2")]
    with ExitStack() as meanwhile:
        addresses = [meanwhile.enter_context(exporter.serve()) for exporter in exporters]
        source = meanwhile.enter_context(closing(DcgmSource(",".join(addresses), None, clock.now)))

        def body() -> None:
            clock.sleep(2.0)
            exporters[1].fails = Answer("gone", status=503)
            clock.sleep(2.0)
            exporters[1].fails = None
            clock.sleep(2.0)

        measurement = measured_window(source, clock, body)
    reason = measurement.reasons[0]
    assert (measurement.energy_j, reason.code) == (None, "source_error")
    assert reason.sentence == (
        f"dcgm: {addresses[1]}/metrics answers 503: check the address, and what its log says."
    )


def test_a_gpu_that_an_exporter_shows_no_more_is_named() -> None:
    clock = FakeClock()
    exporter = Exporter(clock, "node-1", 2)
    with opened(clock, exporter) as source:
        exporter.gpus.pop()
        with pytest.raises(SourceError, match=r"^dcgm: GPU-node-1-1 on node-1 is no longer shown"):
            source.read()


def test_a_counter_that_restarts_in_the_window_is_found() -> None:
    clock = FakeClock()
    exporter = Exporter(clock, "node-1")
    with opened(clock, exporter) as source:

        def body() -> None:
            clock.sleep(5.0)
            # The driver was loaded anew: it counts from 0.
            exporter.gpus[0] = Exporter(clock, "node-1").gpus[0]
            clock.sleep(5.0)

        clock.sleep(5.0)
        measurement = measured_window(source, clock, body)
    assert measurement.reasons[0].code == "counter_reset"


def test_what_is_no_exporter_says_what_it_is() -> None:
    no_metrics = (
        "dcgm: ADDRESS/metrics answers with something else than metrics. "
        "A proxy or a login may stand before it: give the exporter's own address."
    )
    page = "<!doctype html><title>Sign in</title>"
    assert why_not(Answer(page, media="text/html")) == why_not(Answer(page)) == no_metrics
    assert why_not(Answer("DCGM_FI_DEV_POWER_USAGE{gpu=0} 12")) == no_metrics
    assert why_not(Answer("", 302, location="http://127.0.0.1:1/")) == (
        "dcgm: ADDRESS/metrics answers 302: "
        "it sends elsewhere, which is not followed; give the address where it leads."
    )
    nothing = why_not(Answer("up 1\n"))
    assert nothing.startswith("dcgm: no GPU's energy or power is shown. Export DCGM_FI_DEV_TOTAL_ENERGY")


def test_an_answer_that_does_not_end_is_not_read_to_its_end() -> None:
    assert why_not(Answer("# much\n" * (50 * 1024 * 1024 // 7))) == (
        f"dcgm: ADDRESS/metrics answers with more than {MOST_BYTES // 2**20} MiB. "
        "Name the exporter or the engine itself, not what gathers from many."
    )


def test_a_machine_that_does_not_answer_is_named() -> None:
    with answering(lambda path, headers: Answer("")) as address:
        pass
    with pytest.raises(SourceError, match=f"^dcgm: {address}/metrics does not answer \\(.*refused\\). See "):
        DcgmSource(address)


def test_a_password_is_sent_and_never_shown() -> None:
    asked: list[str | None] = []

    def answer(path: str, headers: dict[str, str]) -> Answer:
        asked.append(headers.get("Authorization"))
        return Answer("no", 401)

    with answering(answer) as address:
        with_password = address.replace("http://", "http://me:s%40cret@")
        with pytest.raises(SourceError) as caught:
            open_source(f"dcgm:{with_password}")
    assert asked == ["Basic bWU6c0BjcmV0"]
    assert str(caught.value) == (
        f"dcgm: {address}/metrics answers 401: check the user and the password, or the token."
    )
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("address", ["", "node:9400", "ftp://me:secret@node", "http://", "http://n:port"])
def test_what_is_no_address_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(SettingError) as caught:
        open_source(f"dcgm:{address}")
    assert str(caught.value) == (
        "--whq-source dcgm: needs an address such as dcgm:http://HOST:PORT, with http or https."
    )


def test_the_name_of_the_source_in_reports_is_its_kind() -> None:
    clock = FakeClock()
    with Exporter(clock, "node-1").serve() as address:
        opened = open_source(f"dcgm:{address.replace('http://', 'http://me:secret@')}+estimate")
        opened.source.close()
    assert (opened.name, opened.facts.scope, opened.facts.settles_s) == ("dcgm+estimate", "gpu+cpu", 10.0)
    assert opened.facts.labels["GPU-node-1-0"]["Hostname"] == "node-1"
