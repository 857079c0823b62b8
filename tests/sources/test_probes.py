"""The sensors of a GPU, each to be looked at by itself."""

from nvml_helpers import opened
from simulated_nvml import NOT_SUPPORTED, ZERO_WATTS, SimulatedNvml


def names(devices: str | None = None) -> list[str]:
    with opened(devices) as source:
        return [probe.sensor for probe in source.probes()]


def test_every_sensor_that_works_is_there_the_measuring_ones_first(
    simulated_nvml: SimulatedNvml,
) -> None:
    assert names() == ["energy counter", "instant power", "power usage", "average power"]
    simulated_nvml.gpu(0).configure(counter_supported=False, instant_supported=False)
    assert names() == ["energy counter", "power usage", "average power"]
    simulated_nvml.gpu(0).configure(counter_field_supported=False)
    assert names() == ["power usage", "average power"]


def test_a_module_is_not_mixed_with_its_gpu(simulated_nvml: SimulatedNvml) -> None:
    simulated_nvml.gpu(0).configure(
        counter_supported=False,
        counter_gpu_scope_supported=False,
        counter_module_scope_supported=True,
        power_usage_supported=False,
        power_gpu_scope_supported=False,
        power_module_scope_supported=True,
    )
    with opened() as source:
        assert [(probe.sensor, probe.counts) for probe in source.probes()] == [
            ("energy counter", True),
            ("instant power", False),
            ("average power", False),
        ]
        assert [round(probe.look() or 0) for probe in source.probes()[1:]] == [170, 170]


def test_probes_say_of_which_gpu_they_are() -> None:
    with SimulatedNvml(gpus=2) as nvml, opened("1") as source:
        assert {probe.device.id for probe in source.probes()} == {nvml.gpu(1).uuid}


def test_a_look_gives_joules_or_watts_and_nothing_where_the_sensor_refuses(
    simulated_nvml: SimulatedNvml,
) -> None:
    gpu = simulated_nvml.gpu(0)
    with opened() as source:
        counter, power, *_ = source.probes()
        first_j = counter.look()
        assert first_j is not None
        assert first_j > 100_000
        assert power.look() == 70.0
        gpu.fail("energy", "power_field", code=NOT_SUPPORTED)
        assert (counter.look(), power.look()) == (None, None)
        gpu.heal()
        gpu.fail("power_field", code=ZERO_WATTS)
        assert power.look() is None
