import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from pytest_whq.errors import ReasonCode, SettingError, SourceError, WhqError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources import OpenedSource, open_source, standing_in
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.combined import CombinedSource
from pytest_whq.sources.estimate import EstimateSource
from pytest_whq.sources.facts import SourceFacts, facts_of

KNOWN = "nvml, rapl, hwmon, amdsmi, zeus, estimate, wall, dcgm:URL, redfish:URL, prometheus:URL"


class Plain:
    """A source of one device that says nothing of itself."""

    def __init__(self, device_id: str = "meter", log: list[str] | None = None) -> None:
        self.id = device_id
        self.log = [] if log is None else log

    def devices(self) -> tuple[Device, ...]:
        return (Device(self.id, f"the {self.id}"),)

    def read(self) -> tuple[Reading, ...]:
        return (Reading(self.id, 1.0, energy_j=5.0),)

    def state(self) -> tuple[DeviceState, ...]:
        return (DeviceState(self.id, temperature_c=40.0),)

    def close(self) -> None:
        self.log.append(f"{self.id} closed")


class Board(Plain):
    scope = "gpu"
    driver = "580.95.05"


class Package(Plain):
    scope = "cpu"


class Jammed(Plain):
    def close(self) -> None:
        super().close()
        raise SourceError(f"{self.id} is jammed")


def raises(error: BaseException) -> Callable[..., PowerSource]:
    def factory(*args: object) -> PowerSource:
        raise error

    return factory


def says(kind: type[WhqError], message: str) -> AbstractContextManager[pytest.ExceptionInfo[WhqError]]:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


@pytest.fixture
def no_gpu() -> Iterator[None]:
    error = SourceError("nvml: there is no NVIDIA driver.", code="no_source")
    with standing_in({"nvml": raises(error)}):
        yield


def test_the_estimate_is_opened_by_its_name() -> None:
    opened = open_source("estimate")
    assert isinstance(opened.source, EstimateSource)
    assert (opened.name, opened.fell_back) == ("estimate", None)
    assert (opened.facts.scope, opened.facts.driver, opened.facts.estimated) == ("cpu", None, True)


def test_nvml_is_given_the_devices_to_measure() -> None:
    with standing_in({"nvml": lambda devices: Board(f"GPUs {devices}")}):
        opened = open_source("nvml", "0,2")
    assert opened == OpenedSource("nvml", opened.source, SourceFacts("gpu", "580.95.05"))
    assert opened.source.devices() == (Device("GPUs 0,2", "the GPUs 0,2"),)


def test_auto_takes_nvml_where_it_works() -> None:
    board = Board()
    with standing_in({"nvml": lambda devices: board}):
        opened = open_source("auto")
    assert opened == OpenedSource("nvml", board, SourceFacts("gpu", "580.95.05"))


@pytest.mark.usefixtures("no_gpu")
def test_auto_falls_to_the_estimate_where_there_is_no_gpu_and_says_why() -> None:
    opened = open_source("auto")
    assert (opened.name, opened.facts.estimated) == ("estimate", True)
    assert opened.fell_back == "nvml: there is no NVIDIA driver. rapl: nothing here."


@pytest.mark.usefixtures("no_gpu")
def test_auto_says_that_devices_which_are_named_are_not_there() -> None:
    fell_back = open_source("auto", "9").fell_back
    assert fell_back is not None
    assert fell_back.endswith(" --whq-devices 9 chooses among GPUs, and there is none.")


@pytest.mark.parametrize("code", ["mig", "source_error"])
def test_auto_never_replaces_a_gpu_that_cannot_be_read_by_an_estimate(code: ReasonCode) -> None:
    refusing = standing_in({"nvml": raises(SourceError("nvml: no.", code=code))})
    with refusing, says(SourceError, "nvml: no.") as caught:
        open_source("auto")
    assert isinstance(caught.value, SourceError)
    assert caught.value.code == code


@pytest.mark.usefixtures("no_gpu")
def test_a_source_that_is_asked_for_by_name_is_never_replaced() -> None:
    with says(SourceError, "nvml: there is no NVIDIA driver."):
        open_source("nvml")


def test_a_source_of_a_plugin_is_opened_by_its_name_and_what_it_does_not_say_is_unknown() -> None:
    opened = open_source("wall", extra={"wall": Plain})
    assert (opened.name, opened.facts) == ("wall", SourceFacts(None, None, estimated=False))
    assert opened.source.devices() == Plain().devices()


@pytest.mark.parametrize(
    ("error", "what"), [(KeyError("host"), "KeyError('host')"), (SystemExit(3), "SystemExit(3)")]
)
def test_any_exception_of_a_plugin_names_its_source(error: BaseException, what: str) -> None:
    with says(SourceError, f"The power source wall cannot be opened: {what}") as caught:
        open_source("wall", extra={"wall": raises(error)})
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [SourceError("wall: unplugged"), SettingError("wall: no host")])
def test_errors_meant_for_users_pass_untouched(error: WhqError) -> None:
    with pytest.raises(WhqError) as caught:
        open_source("wall", extra={"wall": raises(error)})
    assert caught.value is error


def test_what_is_no_power_source_is_refused() -> None:
    message = (
        "The power source wall cannot be used: its factory gives a dict, "
        "not an object with devices(), read(), state() and close()."
    )
    with says(SourceError, message):
        open_source("wall", extra={"wall": dict})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["auto", "nvml", "estimate", "dcgm", "prometheus"])
def test_a_plugin_cannot_take_a_name_of_pytest_whq(name: str) -> None:
    message = (
        f"A plugin offers a power source by the name {name}, which pytest-whq uses itself: "
        "give it another name in pytest_whq_power_sources."
    )
    with says(SettingError, message):
        open_source("estimate", extra={name: Plain})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "nvlm",
            f"'nvlm' (did you mean nvml?): there are auto, {KNOWN}.",
        ),
        ("x", f"'x': there are auto, {KNOWN}."),
        ("", f"'': there are auto, {KNOWN}."),
        ("wall+", f"'': a sum can hold {KNOWN}."),
        ("auto+wall", f"'auto': a sum can hold {KNOWN}."),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(name: str, message: str) -> None:
    with says(SettingError, f"There is no power source {message}"):
        open_source(name, extra={"wall": Plain})


def test_a_sum_gives_the_devices_readings_and_states_of_its_parts_in_order() -> None:
    opened = open_source(
        "board + package", extra={"board": lambda: Board("gpu0"), "package": lambda: Package("cpu0")}
    )
    assert opened == OpenedSource("board+package", opened.source, SourceFacts("gpu+cpu", "580.95.05"))
    source = opened.source
    assert isinstance(source, PowerSource)
    assert source.devices() == (Device("gpu0", "the gpu0"), Device("cpu0", "the cpu0"))
    assert source.read() == (Reading("gpu0", 1.0, energy_j=5.0), Reading("cpu0", 1.0, energy_j=5.0))
    assert source.state() == (DeviceState("gpu0", 40.0), DeviceState("cpu0", 40.0))


def test_a_sum_with_an_estimate_is_an_estimate() -> None:
    assert open_source("board+estimate", extra={"board": Board}).facts.estimated is True


def test_the_scope_of_a_sum_names_each_scope_once_and_is_unknown_where_one_is() -> None:
    assert CombinedSource([Board("a"), Board("b"), Package("c")]).scope == "gpu+cpu"
    assert CombinedSource([Board("a"), Plain("b")]).scope is None


def test_a_sum_tells_the_sensors_and_the_averaging_of_all_of_its_devices() -> None:
    board, package = Board("gpu0"), Package("cpu0")
    told = {"sensors": {"gpu0": ("energy counter", "power")}, "power_averaging_s": {"gpu0": 0.1}}
    vars(board).update(told)
    facts = facts_of(CombinedSource([package, board]))
    assert {"sensors": facts.sensors, "power_averaging_s": facts.power_averaging_s} == told


def test_a_stand_in_is_there_only_meanwhile() -> None:
    board = Board()
    with standing_in({"nvml": lambda devices: board, "wall": lambda devices: board}):
        assert open_source("nvml").source is open_source("wall").source is board
        with standing_in({"nvml": raises(SourceError("nvml: no."))}), says(SourceError, "nvml: no."):
            open_source("nvml")
        assert open_source("nvml").source is board
    with says(
        SettingError,
        "There is no power source 'wall': there are auto, nvml, rapl, hwmon, amdsmi, zeus, estimate, "
        "dcgm:URL, redfish:URL, prometheus:URL.",
    ):
        open_source("wall")


def test_the_driver_of_a_sum_is_that_of_the_parts_that_have_one() -> None:
    assert CombinedSource([Package("a"), Plain("b")]).driver is None
    assert CombinedSource([Board("a"), Package("b"), Board("c")]).driver == "580.95.05"


def test_a_sum_that_would_count_a_device_twice_is_refused_and_closed() -> None:
    log: list[str] = []
    message = (
        "The device gpu0 is offered by two of the power sources that --whq-source adds up, "
        "so its energy would count twice: name only one of them."
    )
    with says(SettingError, message):
        open_source("a+b", extra={"a": lambda: Board("gpu0", log), "b": lambda: Plain("gpu0", log)})
    assert log == ["gpu0 closed", "gpu0 closed"]


def test_what_a_sum_has_opened_is_closed_when_another_part_cannot_be() -> None:
    log: list[str] = []
    extra = {"a": lambda: Board("gpu0", log), "b": raises(SourceError("b: unplugged"))}
    with says(SourceError, "b: unplugged"):
        open_source("a+b", extra=extra)
    assert log == ["gpu0 closed"]


def test_closing_a_sum_closes_every_part_though_one_raises() -> None:
    log: list[str] = []
    source = CombinedSource([Plain("a", log), Jammed("b", log), Plain("c", log)])
    with says(SourceError, "b is jammed"):
        source.close()
    assert log == ["c closed", "b closed", "a closed"]
