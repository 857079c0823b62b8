"""A real NVIDIA GPU under torch, measured as users measure it. Skipped where there is none.

What a GPU draws no instrument here knows: the same work for seconds tells what a call takes, and from a
warmer GPU than that of a single call. So energies are compared within a fifth, and not more closely.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_whq.errors import SourceError
from pytest_whq.measuring.clock import SystemClock, wait
from pytest_whq.measuring.meter import Meter
from pytest_whq.measuring.sampler import Sampler
from pytest_whq.model import Measurement
from pytest_whq.sources.nvml.source import NvmlSource

pytestmark = [pytest.mark.gpu, pytest.mark.once]


@pytest.fixture(scope="module")
def torch() -> Any:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("torch sees no NVIDIA GPU")
    return torch


@pytest.fixture
def source(torch: Any) -> Iterator[NvmlSource]:
    """The GPU that torch uses, alone."""
    source = NvmlSource(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
    yield source
    source.close()


@pytest.fixture
def measure(source: NvmlSource) -> Callable[[Callable[[], object]], Measurement]:
    """What one window with a call in it measures."""
    clock = SystemClock()
    sampler = Sampler(source, clock)

    def measure(call: Callable[[], object]) -> Measurement:
        meter = Meter(clock, sampler)
        wait(clock, meter.open())
        meter.begin()
        call()
        meter.end()
        wait(clock, meter.close())
        return meter.measurement(precision=0.05)

    return measure


def mean_w(measurement: Measurement) -> float:
    assert measurement.energy_j is not None
    assert measurement.duration_s is not None
    return measurement.energy_j / measurement.duration_s


@pytest.fixture(scope="module")
def busy(torch: Any) -> Callable[[float], None]:
    """Keeps the GPU busy for so many seconds."""
    factor = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
    product = torch.empty_like(factor)

    def busy(seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            torch.mm(factor, factor, out=product)
            torch.cuda.synchronize()

    busy(0.5)
    return busy


def test_it_is_named_and_limited_as_torch_has_it(torch: Any, source: NvmlSource) -> None:
    (device,) = source.devices()
    assert device.name == torch.cuda.get_device_name(0)
    assert device.power_limit_w is not None
    assert 50 < device.power_limit_w < 3000


def test_it_says_how_it_is(source: NvmlSource) -> None:
    (state,) = source.state()
    assert state.temperature_c is None or 5 < state.temperature_c < 110
    assert state.clocks_event_reasons is not None


def test_its_sensors_show_what_can_be(source: NvmlSource) -> None:
    (device,) = source.devices()
    limit_w = device.power_limit_w or 3000.0
    for probe in source.probes():
        first = probe.look()
        time.sleep(1.2)
        then = probe.look()
        assert first is not None, probe.sensor
        assert then is not None, probe.sensor
        drawn_w = (then - first) / 1.2 if probe.counts else then
        assert 5 < drawn_w < 1.5 * limit_w, (probe.sensor, first, then)


def test_cuda_visible_devices_chooses_it(source: NvmlSource, monkeypatch: pytest.MonkeyPatch) -> None:
    (device,) = source.devices()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", device.id[:12])
    chosen = NvmlSource()
    assert [one.id for one in chosen.devices()] == [device.id]
    chosen.close()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-ffffffff")
    with pytest.raises(SourceError):
        NvmlSource()


def test_a_window_of_a_second_agrees_with_many(
    measure: Callable[..., Measurement], busy: Callable[[float], None]
) -> None:
    many = measure(lambda: busy(6.0))
    one = measure(lambda: busy(1.0))
    assert many.why_invalid("wh_total") is None, many.reasons
    assert one.why_invalid("wh_total") is None, one.reasons
    assert mean_w(one) == pytest.approx(mean_w(many), rel=0.2)


def test_a_gpu_that_rests_is_said_to(measure: Callable[..., Measurement]) -> None:
    time.sleep(4.0)
    found = measure(lambda: time.sleep(3.0))
    assert found.has("device_idle"), (mean_w(found), found.uncertainty_j, found.power)


def test_a_process_beside_is_seen_or_said_to_be_unknown(source: NvmlSource) -> None:
    program = "import time, torch; torch.zeros(1, device='cuda'); print('ready', flush=True); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (state,) = source.state()
        other.kill()
    # A child of ours is ours. NVML may see no process at all from within a container or a virtual machine.
    assert state.other_processes in (None, 0)


_TESTS = """
import pytest, torch

A = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)

def work(count):
    for _ in range(count):
        torch.mm(A, A)

@pytest.fixture(scope="module", autouse=True)
def warm():
    work(200)
    torch.cuda.synchronize()

@pytest.mark.whq(rounds=3)
def test_queued(whq):
    whq(work, 800)

@pytest.mark.whq(rounds=3)
def test_waited_for(whq):
    def waited():
        work(800)
        torch.cuda.synchronize()
    whq(waited)

@pytest.mark.whq(max_seconds=8)
def test_short(whq):
    whq(work, 40)
"""


@pytest.fixture
def session(torch: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What the records of a pytest session of its own say, by test."""

    def session(text: str, *options: str) -> dict[str, Any]:
        (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
        (tmp_path / "test_gpu.py").write_text(text, "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--whq-source=nvml", "--whq-json=run.json", *options]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        print(ended.stdout)
        run = json.loads((tmp_path / "run.json").read_text("utf-8"))
        return {record["test"].partition("::")[2]: record for record in run["records"]}

    return session


def test_queued_work_is_waited_for(session: Callable[..., dict[str, Any]]) -> None:
    found = session(_TESTS)
    assert [one["reasons"] for one in found.values() if not one["valid"]] == []
    queued, waited = found["test_queued"], found["test_waited_for"]
    assert queued["energy_j"] / queued["queries"] == pytest.approx(
        waited["energy_j"] / waited["queries"], rel=0.2
    )
    # The same work in twentieths, at ever new moments of the sensors' refresh.
    short = found["test_short"]
    assert 20 * short["energy_j"] / short["queries"] == pytest.approx(
        waited["energy_j"] / waited["queries"], rel=0.3
    )


_GENERATE = """
import pytest, torch
from transformers import GPT2Config, GPT2LMHeadModel

@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(n_layer=12, n_embd=1024, n_head=16)).to("cuda").eval()

@pytest.mark.whq(min_seconds=3, max_seconds=8)
def test_generate(whq, model):
    ids = torch.randint(0, 50000, (4, 64), device="cuda")
    out = whq(model.generate, input_ids=ids, max_new_tokens=32, min_new_tokens=32, do_sample=False,
              attention_mask=torch.ones_like(ids), pad_token_id=0)
    assert out.shape == (4, 96)
"""


def test_transformers_tells_its_tokens(session: Callable[..., dict[str, Any]]) -> None:
    pytest.importorskip("transformers")
    found = session(_GENERATE)["test_generate"]
    assert found["output_tokens"] / found["queries"] == 32
    assert found["input_tokens"] / found["queries"] == 64
    assert found["metrics"]["wh_per_query"] > 0


def test_the_command_lists_it(source: NvmlSource) -> None:
    (device,) = source.devices()
    command = [sys.executable, "-m", "pytest_whq", "devices"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert listed.returncode == 0, listed.stderr
    assert device.name in listed.stdout
