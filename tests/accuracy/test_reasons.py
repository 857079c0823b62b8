"""Each reason for which a figure does not stand, or stands with a warning, provoked on a simulated GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest
from simulated_nvml import DRIVER_NOT_LOADED, SimulatedNvml
from simulated_project import SimulatedProject, within

from pytest_whq.errors import ReasonCode
from pytest_whq.model import REASONS


@dataclass(frozen=True)
class Provocation:
    """A test that is measured in circumstances that give it a reason.

    ``sentence`` is the reason's, with ``*`` for figures that are not the same each time and ``{gpu}``
    for how sentences name the GPU. ``arrange`` prepares the GPUs before the session begins.
    """

    test: str
    sentence: str
    arrange: Callable[[SimulatedNvml], object] = lambda _: None
    options: tuple[str, ...] = ()


PLAIN = """
def test_it(whq, chat, gpu):
    with whq.measure() as window:
        window.record(chat())
"""


def no_counter(nvml: SimulatedNvml) -> None:
    nvml.gpu(0).configure(counter_supported=False, counter_field_supported=False)


PROVOCATIONS = {
    "no_source": Provocation(
        PLAIN,
        "nvml: driver not loaded. Load the NVIDIA driver until nvidia-smi works, "
        "or choose another --whq-source.",
        arrange=lambda nvml: nvml.fail_init(DRIVER_NOT_LOADED),
    ),
    "source_error": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                gpu.fail(code=15, from_s=time.monotonic() + 0.05, until_s=time.monotonic() + 0.1)
                window.record(chat())
        """,
        "nvml: GPU 0 ({uuid}) is lost: it fell off the bus. Reset it or reboot, "
        "or leave it out with --whq-devices.",
    ),
    "counter_reset": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                gpu.configure(counter_reset_at_s=time.monotonic() + 0.15)
                window.record(chat())
        """,
        "{gpu}: the energy counter fell while the window was open",
    ),
    "counter_stuck": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                gpu.configure(counter_stuck_from_s=time.monotonic() + 0.15)
                window.record(chat())
        """,
        "{gpu}: the energy counter did not move after the window, while readings went on",
    ),
    "sensors_disagree": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                window.record(chat(2.0))
        """,
        "{gpu}: the energy counter says * J and the power sensor * J: one of them lags or is wrong",
        arrange=lambda nvml: nvml.gpu(0).configure(counter_lag_s=0.8),
    ),
    "window_too_short": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                window.record(chat(0.1))
        """,
        "{gpu}: the power sensor looks back over up to 1?? ms, so a window of 1?? ms is too short for it",
        arrange=no_counter,
    ),
    "sample_gap": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                now_s = time.monotonic()
                gpu.fail("power_field", "power", code=3, from_s=now_s + 0.3, until_s=now_s + 1.6)
                window.record(chat(2.0))
        """,
        "{gpu}: no power reading for 1.* s inside the window; at most 0.5 s is filled in",
        arrange=no_counter,
    ),
    "mig": Provocation(
        PLAIN,
        "nvml: GPU 0 ({uuid}) is in MIG mode, where only the whole board's power can be read. "
        "Turn MIG off, or measure all of its instances together with --whq-devices.",
        arrange=lambda nvml: nvml.gpu(0).configure(mig_mode=1),
    ),
    "device_busy": Provocation(
        """
        import subprocess, sys

        HOLD = "import sys; from pytest_whq.measuring.held_devices import *; HELD.take(sys.argv[1]); input()"

        def test_it(whq, chat, gpu):
            command = [sys.executable, "-c", HOLD, gpu.uuid]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as holder:
                time.sleep(1.0)
                with whq.measure() as window:
                    window.record(chat(1.0))
                holder.communicate(b"end")
        """,
        "{name}: process * measures on it (* -c import sys; *) and did not let go of it within 500 ms. "
        "Let it end, or wait longer with --whq-wait.",
        options=("--whq-wait=0.5",),
    ),
    "device_idle": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                time.sleep(1.0)
                window.record({"usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}})
        """,
        "* W in the window are the * W around it: what was measured ran elsewhere, as on a remote server, "
        "or is a mock",
    ),
    "cached_input": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                chat()
                usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
                window.record({"usage": usage | {"prompt_tokens_details": {"cached_tokens": 8}}})
        """,
        "88.9 % of the input tokens came from a cache, of which max_cached allows 50.0 %",
        options=("--whq-max-cached=50%",),
    ),
    "failed_queries": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                window.record(chat(1.0))
                window.record(ok=False)
        """,
        "1 of 2 queries failed",
    ),
    "no_queries": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure():
                chat(1.0)
        """,
        "no query succeeded, or none was recorded with window.record",
    ),
    "tokens_missing": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                chat(1.0)
                window.record()
        """,
        "a query was recorded without its reply or its token counts",
    ),
    "imprecise": Provocation(
        PLAIN,
        "the energy is uncertain by ± * %, wider than the ± 0.0 % asked for",
        options=("--whq-precision=0.0001%",),
    ),
    "throttled": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                gpu.configure(clocks_event_reasons=0x40 | 0x4)
                window.record(chat(1.0))
        """,
        "clocks were cut while the window was open: hw_thermal_slowdown on {name}",
    ),
    "shared_device": Provocation(
        """
        def test_it(whq, chat, gpu):
            import os
            gpu.set_processes([(os.getpid(), 2**30), (1, 2**30)])
            with whq.measure() as window:
                window.record(chat(1.0))
        """,
        "other processes use the device (1 on {name}), and what they draw is counted: "
        "right for a server under test, wrong for anything else",
    ),
    "unclaimed": Provocation(
        """
        import socket

        def test_it(whq, chat, monkeypatch):
            def refuse(*kind):
                raise PermissionError(1, "Operation not permitted")

            monkeypatch.setattr(socket, "socket", refuse)
            with whq.measure() as window:
                window.record(chat(1.0))
        """,
        "{name} could not be claimed (Operation not permitted): "
        "what another process did on it meanwhile is counted",
    ),
    "thermal_drift": Provocation(
        """
        def test_it(whq, chat, gpu):
            with whq.measure() as window:
                window.record(chat(1.0))
                gpu.configure(temperature_c=60)
        """,
        "{name} warmed by 15 °C while it was measured",
    ),
    "estimated": Provocation(
        PLAIN,
        "no sensor was read: the energy is modelled from CPU time",
        options=("--whq-source=estimate",),
    ),
}

INVALID = [code for code, metrics in REASONS.items() if metrics]


@pytest.mark.parametrize("code", PROVOCATIONS)
def test_a_reason_is_named_and_no_figure_stands_that_it_takes_away(
    simulated_project: SimulatedProject, code: ReasonCode
) -> None:
    provocation, gpu = PROVOCATIONS[code], simulated_project.nvml.gpu(0)
    simulated_project.tests(provocation.test)
    provocation.arrange(simulated_project.nvml)
    simulated_project.run(*provocation.options).assert_outcomes(passed=1)
    record = simulated_project.records["test_it"]
    # How fast power falls is not known in a board's first window, which may make it imprecise.
    assert [one for one in record["reasons"] if one in (code, *INVALID) or code == "imprecise"] == [code]
    named = {"gpu": f"{gpu.name} ({gpu.uuid})", "name": gpu.name, "uuid": gpu.uuid}
    assert fnmatchcase(record["why"][code], provocation.sentence.format(**named)), record["why"]
    assert record["valid"] == (not REASONS[code] or code == "tokens_missing")
    if record["valid"] and code != "estimated":
        right = within(simulated_project.true_j("test_it"), 0.01, record["uncertainty_j"])
        assert record["energy_j"] == right


def test_every_reason_is_provoked() -> None:
    # What is modelled was imported: no window gives it; the others need a server of their own.
    assert set(PROVOCATIONS) == set(REASONS) - {"modelled", "foreign_queries", "server_silent"}


def test_a_call_that_draws_more_with_each_round_drifts(simulated_project: SimulatedProject) -> None:
    simulated_project.tests("""
        calls = []

        @pytest.mark.whq(rounds=6, max_seconds=1.8, warmup=0)
        def test_it(whq, chat):
            def heating():
                calls.append(None)
                return chat(watts=300.0 + 20 * len(calls))
            whq(heating)
    """)
    simulated_project.run().assert_outcomes(passed=1)
    record = simulated_project.records["test_it"]
    assert record["reasons"] == ["thermal_drift"]
    assert fnmatchcase(
        record["why"]["thermal_drift"],
        "Wh/query moved by +??.? % from the first round to the last: warm up longer with warmup",
    )
    assert record["energy_j"] == within(simulated_project.true_j("test_it"), 0.01, record["uncertainty_j"])
