"""Whole machines by their BMCs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from bmc import Bmc
from http_answers import Answer

from pytest_whq.errors import SourceError
from pytest_whq.model import Device, Measurement
from pytest_whq.sources import open_source
from pytest_whq.sources.remote.redfish import RedfishSource
from pytest_whq.testing import FakeClock, measured_window


@contextmanager
def opened(bmc: Bmc, clock: FakeClock, path: str = "", devices: str | None = None) -> Iterator[RedfishSource]:
    with bmc.serve() as address, closing(RedfishSource(address + path, devices, clock.now)) as source:
        yield source


def measured(source: RedfishSource, clock: FakeClock, bmc: Bmc, seconds: float) -> tuple[Measurement, float]:
    """A window in which the machine draws 3,000 W, between 600 W on both sides, and the truth."""
    edges_s: list[float] = []

    def body() -> None:
        edges_s.append(clock.now())
        bmc.machine.call(seconds, 3000.0)
        edges_s.append(clock.now())

    clock.sleep(5.0)
    found = measured_window(source, clock, body)
    return found, bmc.machine.true_energy_j(*edges_s)


def why_not(bmc: Bmc, path: str = "", devices: str | None = None) -> str:
    with pytest.raises(SourceError) as caught, opened(bmc, FakeClock(), path, devices):
        pass
    return str(caught.value)


@pytest.mark.parametrize(("old", "energy"), [(True, None), (False, None), (False, "2")])
def test_power_is_integrated(old: bool, energy: str | None) -> None:
    clock = FakeClock()
    bmc = Bmc(clock, old=old, energy=energy)
    with opened(bmc, clock) as source:
        assert source.devices() == (Device("127.0.0.1/1", "XE9680"),)
        assert source.sensors == {"127.0.0.1/1": ("power",)}
        found, true_j = measured(source, clock, bmc, 90.0)
    assert found.method == "power"
    assert found.energy_j == pytest.approx(true_j, rel=0.03)


@pytest.mark.parametrize("energy", ["EnergyJoules", "4"])
def test_a_counter_that_is_fine_enough_is_subtracted(energy: str) -> None:
    clock = FakeClock()
    bmc = Bmc(clock, energy=energy)
    with opened(bmc, clock) as source:
        assert source.sensors == {"127.0.0.1/1": ("energy counter",)}
        found, true_j = measured(source, clock, bmc, 60.0)
    assert found.method == "counter"
    assert found.energy_j == pytest.approx(true_j, rel=0.03)


def test_a_short_window_has_no_figure() -> None:
    clock = FakeClock()
    bmc = Bmc(clock)
    with opened(bmc, clock) as source:
        found, _ = measured(source, clock, bmc, 10.0)
    assert [reason.code for reason in found.reasons][:1] == ["window_too_short"]


def test_a_meter_that_has_stopped_is_named() -> None:
    clock = FakeClock()
    bmc = Bmc(clock)
    with opened(bmc, clock) as source:
        bmc.stuck_w = 515.0
        found, _ = measured(source, clock, bmc, 90.0)
    assert found.energy_j is None
    (reason, *_) = found.reasons
    assert reason.code == "source_error"
    assert reason.sentence.startswith("redfish: the meter of 127.0.0.1/1 has shown 515 W for ")
    assert reason.sentence.endswith(
        " s without a change: it has stopped. Reset the BMC, or measure by another source."
    )


def test_a_machine_at_rest_between_windows_is_not_a_meter_that_has_stopped() -> None:
    clock = FakeClock()
    bmc = Bmc(clock)
    with opened(bmc, clock) as source:
        bmc.stuck_w = 600.0
        source.read()
        clock.sleep(300.0)
        assert len(source.read()) > 0


def test_it_is_asked_once_a_second() -> None:
    clock = FakeClock()
    bmc = Bmc(clock)
    with opened(bmc, clock) as source:
        assert len(source.read()) == 1
        clock.sleep(0.9)
        assert source.read() == ()
        clock.sleep(0.2)
        (held, *_, new) = source.read()
        assert (held.time_s, new.time_s) == pytest.approx((1000.5, 1001.1))


def test_of_several_chassis_one_must_be_named() -> None:
    bmc = Bmc(FakeClock())
    bmc.chassis = ["enclosure", "1", "HGX_0"]
    sentence = why_not(bmc)
    assert "shows the power of several chassis (127.0.0.1/1, 127.0.0.1/HGX_0), which may lie in" in sentence
    assert sentence.endswith("/redfish/v1/Chassis/enclosure.")
    clock = FakeClock()
    with opened(bmc, clock, "/redfish/v1/Chassis/HGX_0") as source:
        assert [device.id for device in source.devices()] == ["127.0.0.1/HGX_0"]
    assert "shows no power of a chassis" in why_not(bmc, "/redfish/v1/Chassis/enclosure")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("", 401), "answers 401: check the user and the password"),
        (Answer("<html>", media="text/html"), "answers with something else than Redfish does"),
        (Answer("{}"), "shows no power of a chassis (PowerWatts, PowerConsumedWatts)"),
        (Answer("[]"), "answers with something else than Redfish does"),
    ],
    ids=["password", "login", "nothing", "a list"],
)
def test_what_is_no_bmc_is_said(answer: Answer, said: str) -> None:
    bmc = Bmc(FakeClock())
    bmc.fails = answer
    assert said in why_not(bmc)


def test_machines_are_chosen_by_the_beginning_of_their_id() -> None:
    clock = FakeClock()
    with opened(Bmc(clock), clock, devices="127.0") as source:
        assert len(source.devices()) == 1
    assert why_not(Bmc(clock), devices="node-9") == (
        "redfish: --whq-devices cannot be 'node-9'. The machines are 127.0.0.1/1."
    )


def test_it_is_opened_by_its_name_and_its_password_is_not_shown() -> None:
    bmc = Bmc(FakeClock())
    with bmc.serve() as address:
        opening = open_source(f"redfish:{address.replace('http://', 'http://me:s3cret@')}")
        with closing(opening.source):
            assert (opening.name, opening.facts.scope) == ("redfish", "node")
            assert "s3cret" not in repr(opening)
    assert set(bmc.asked) == {"Basic bWU6czNjcmV0"}
