import re

import pytest

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.model import Device, DeviceState, Reading
from pytest_whq.sources.facts import facts_of
from pytest_whq.sources.roles import SourceWithRoles, role_patterns


class Rack:
    """Two GPUs on two nodes."""

    scope = "gpu"
    closed = False

    def __init__(self) -> None:
        self.labels = {f"GPU-{n}": {"Hostname": f"node-{n}", "pod": f"vllm-{n}"} for n in (1, 2)}

    def devices(self) -> tuple[Device, ...]:
        return (Device("GPU-1", "NVIDIA GB200", 1200.0), Device("GPU-2", "NVIDIA H100"))

    def read(self) -> tuple[Reading, ...]:
        return (Reading("GPU-1", 1.0, energy_j=5.0),)

    def state(self) -> tuple[DeviceState, ...]:
        return (DeviceState("GPU-1", 40.0),)

    def close(self) -> None:
        self.closed = True


def roles(*texts: str) -> list[str | None]:
    source = SourceWithRoles(Rack(), role_patterns(texts, "--whq-role"))
    return [device.role for device in source.devices()]


def test_a_role_is_given_by_id_name_or_label() -> None:
    assert roles("prefill=GPU-1", "decode=*H100") == ["prefill", "decode"]
    assert roles("prefill=node-[1]", "decode=vllm-2") == ["prefill", "decode"]
    assert roles("decode=Hostname=node-*") == ["decode", "decode"]
    assert roles("router=NVIDIA GB200") == ["router", None]


def test_several_patterns_may_give_one_role() -> None:
    assert roles("decode=node-1", "decode=node-2", "decode=GPU-2") == ["decode", "decode"]


def test_all_else_is_as_the_source_says() -> None:
    rack = Rack()
    source = SourceWithRoles(rack, role_patterns(["prefill=GPU-1"], "--whq-role"))
    assert source.devices()[0] == Device("GPU-1", "NVIDIA GB200", 1200.0, role="prefill")
    assert (source.read(), source.state()) == (rack.read(), rack.state())
    assert facts_of(source) == facts_of(rack)
    source.close()
    assert rack.closed


def test_a_role_that_no_device_fits_is_refused() -> None:
    sentence = (
        "No device fits the role decode=node-9 (--whq-role), by its id, its name or a label. "
        "The devices are GPU-1, GPU-2."
    )
    with pytest.raises(SourceError, match=f"^{re.escape(sentence)}$"):
        roles("prefill=node-1", "decode=node-9")


def test_a_device_has_one_role() -> None:
    sentence = (
        "NVIDIA GB200 (GPU-1) fits the roles prefill and decode (--whq-role): "
        "narrow the patterns until each device has one."
    )
    with pytest.raises(SourceError, match=f"^{re.escape(sentence)}$"):
        roles("prefill=node-1", "decode=*")


@pytest.mark.parametrize("text", ["prefill", "=node-1", "prefill=", ""])
def test_what_is_no_role_is_refused(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        role_patterns([text], "--whq-role")
    assert str(caught.value) == f"--whq-role cannot be {text!r}: it is ROLE=PATTERN, such as prefill=node-1*."
