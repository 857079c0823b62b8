"""Everything that goes wrong around a measured session, one row each."""

from collections.abc import Iterator
from itertools import product

from faults.fault import AFTER, BEFORE, IT, Fault
from faults.files import files

OPENING = ("nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByUUID")
TELLING = (
    *("nvmlDeviceGetUUID", "nvmlDeviceGetName", "nvmlSystemGetDriverVersion"),
    *("nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetMigMode", "nvmlDeviceGetArchitecture"),
)
READING = ("nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetFieldValues")
FIGURES = ("nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetTemperatureV")
STATE = ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetComputeRunningProcesses")
CLOSING = ("nvmlShutdown",)
CODES = {
    "uninitialized": 1,
    "argument": 2,
    "unsupported": 3,
    "permission": 4,
    "not-found": 6,
    "timeout": 10,
    "function": 13,
    "lost": 15,
    "reset": 16,
    "in-use": 19,
    "no-data": 21,
    "not-ready": 27,
    "unknown": 999,
}

BREAK = """
import threading
import pynvml

HUNG = threading.Event()

def fault_hangs(*arguments):
    HUNG.wait(60)
    raise pynvml.NVMLError(999)

def fault_raises(*arguments):
    raise OSError(5, "Input/output error")

def fault_tells_nothing(*arguments):
    return None

def fault_lies(*arguments):
    return "\\x1b[31m\\udc80"

def fault_tells_zero(*arguments):
    return 0

def fault_tells_minus_one(*arguments):
    return -1

def fault_tells_uint_max(*arguments):
    return 2**64 - 1

def fault_tells_nan(*arguments):
    return float("nan")

@pytest.fixture{scope}
def broken():
    patch = pytest.MonkeyPatch()
    patch.setattr(pynvml, "{function}", fault_{how})
    yield
    patch.undo()
    HUNG.set()
"""


def driver() -> Iterator[Fault]:
    """NVML's functions that hang, raise or lie, from the start and inside a window; and its codes."""
    whole = '(autouse=True, scope="session")'
    # A handle that is none would end the process in the library, as it does without a plugin.
    broken = (
        *product((*OPENING, *CLOSING), ("hangs", "raises")),
        *product(TELLING, ("hangs", "tells_nothing", "lies")),
        *product((*READING, *STATE), ("hangs", "raises", "tells_nothing", "lies")),
        *product(FIGURES, ("tells_zero", "tells_minus_one", "tells_uint_max", "tells_nan")),
    )
    for function, how in broken:
        text = BREAK.format(scope=whole, function=function, how=how)
        yield Fault(f"{function}-{how}", conftest=text, world="nvml")
    for (name, code), where in product(CODES.items(), ("body", "start")):
        fail = f"gpu.fail(code={code})"
        if where == "start":
            conftest = f"@pytest.fixture(autouse=True)\ndef failing(gpu):\n    {fail}"
            yield Fault(f"all-{name}-from-the-start", conftest=conftest, world="nvml")
        else:
            yield Fault(f"all-{name}-inside", body=fail, world="nvml")
    for name, code in CODES.items():
        conftest = f"def pytest_configure(config):\n    NVML.fail_init({code})"
        yield Fault(f"init-{name}", conftest=conftest, world="nvml")


PLUGIN = """
class Broken(SteadySource):
    {code}

def pytest_whq_power_sources():
    return {{"scripted": Broken}}
"""
HOWS = {
    "hangs": "HUNG.wait(60)",
    "raises": "raise RuntimeError('out of order')",
    "exits": "raise SystemExit(7)",
    "has-hostile-repr": "raise Hostile()",
    "gives-nothing": "return None",
    "gives-a-number": "return 42",
    "gives-a-text": "return 'GPU'",
    "gives-strangers": "return (object(),)",
}
READINGS = {
    "falls": "energy_j=-360.0 * now_s",
    "stands": "energy_j=360.0",
    "is-none": "energy_j=None",
    "is-none-of-both": "energy_j=None, power_w=None",
    "is-negative": "energy_j=-360.0",
    "is-nan": "energy_j=float('nan')",
    "is-uint-max": "energy_j=(2.0**64 - 1) / 1e3",
    "is-infinite": "energy_j=float('inf')",
    "is-a-text": "energy_j='360'",
    "is-a-power-of-nothing": "power_w=0.0",
    "is-a-power-of-nan": "power_w=float('nan')",
    "is-a-power-of-uint-max": "power_w=(2.0**32 - 1) / 1e3",
    "is-a-power-of-infinity": "power_w=float('inf')",
    "is-a-power-and-a-counter-that-stands": "energy_j=360.0, power_w=360.0",
}
ONE_READING = {
    "is-none": "energy_j=None",
    "is-negative": "energy_j=-1.0",
    "is-nan": "energy_j=float('nan')",
    "is-uint-max": "energy_j=(2.0**64 - 1) / 1e3",
    "is-zero": "energy_j=0.0",
}
"""What a counter that is right else may show once, or from some reading on."""


def plugins() -> Iterator[Fault]:
    """Sources of plugins, method by method; and hooks."""
    for method, (name, code) in product(("__init__", "devices", "read", "state", "close"), HOWS.items()):
        text = PLUGIN.format(code=f"def {method}(self):\n        {code}")
        yield Fault(f"source-{method}-{name}", conftest=text, world="steady")
    for name, values in READINGS.items():
        text = PLUGIN.format(
            # By default the edges of three tests would wait for 12 s in all for readings that never come.
            code="settles_s = 0.5\n    def read(self):\n        now_s = time.monotonic()\n"
            f"        return (Reading(self.devices()[0].id, now_s, {values}),)"
        )
        yield Fault(f"reading-{name}", conftest=text, world="steady")
    for name, values in ONE_READING.items():
        text = PLUGIN.format(
            code="calls = 0\n    def read(self):\n        type(self).calls += 1\n"
            "        if self.calls == 12:\n"
            f"            return (Reading(self.devices()[0].id, time.monotonic(), {values}),)\n"
            "        return super().read()"
        )
        yield Fault(f"one-reading-{name}", conftest=text, world="steady")
    for hook, how in product(("read_tokens", "record"), ("raise ValueError('no')", "return 42")):
        argument = "reply" if hook == "read_tokens" else "record"
        text = f"def pytest_whq_{hook}({argument}):\n    {how}"
        if hook == "read_tokens":
            yield Fault(f"hook-{hook}-{how.split()[0]}", conftest=text)


ONCE = {
    "folder-is-gone": "import os, tempfile; os.chdir(d := tempfile.mkdtemp()); os.rmdir(d)",
    "environment-is-empty": "import os; monkeypatch.setattr(os, 'environ', {})",
    "path-is-empty": "monkeypatch.setenv('PATH', '')",
    "home-is-gone": "monkeypatch.delenv('HOME', raising=False)",
    "tmpdir-is-nowhere": "monkeypatch.setenv('TMPDIR', '/nowhere')",
    "stdout-is-closed": "import sys, io; monkeypatch.setattr(sys, 'stdout', None)",
    "stderr-is-gone": "import sys; monkeypatch.setattr(sys, 'stderr', None)",
    "no-module-search": "import sys; monkeypatch.setattr(sys, 'path', [])",
    "switches-slowly": "import sys; monkeypatch.setattr(sys, 'getswitchinterval', lambda: 1)",
    "no-garbage-collection": "import gc; gc.disable(); gc.collect()",
    "time-stands": "import time; monkeypatch.setattr(time, 'monotonic', lambda: 0.0)",
    "time-of-day-jumps": "import time; monkeypatch.setattr(time, 'time', lambda: -1e9)",
    "random-is-fixed": "import random; monkeypatch.setattr(random, 'random', lambda: 0.0)",
    "forks": "import os; os.waitpid(os.fork() or os._exit(0), 0)",
    "child-is-killed": "import os, signal; c = os.fork() or signal.pause(); os.kill(c, 9); os.waitpid(c, 0)",
    "alarm-rings": "import signal; signal.signal(14, lambda *_: 0); signal.setitimer(0, 1e-4)",
    "thread-stays": "threading.Thread(target=HUNG.wait, args=(60,), daemon=True).start()",
    "is-traced": "import sys; sys.settrace(lambda *_: None); sys.settrace(None)",
    "locale-is-odd": "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "decimal-traps": "import decimal; decimal.getcontext().prec = 1",
    "warns": "import warnings; warnings.simplefilter('ignore')",
    "logs-nonsense": "import logging; logging.getLogger().critical(chr(27) + ']0;x' + chr(7))",
    "prints-nonsense": "print(chr(27) + ']0;x' + chr(7) + '::error::' + chr(0))",
}
ENDS = {
    "fails": ("pytest.fail('no')", (BEFORE, IT, AFTER)),
    "raises": ("raise ValueError('no')", (BEFORE, IT, AFTER)),
    "raises-hostile-repr": ("raise Hostile()", (BEFORE, IT, AFTER)),
    "raises-group": ("raise ExceptionGroup('g', [ValueError('no')])", (BEFORE, IT, AFTER)),
    "raises-of-a-long-text": ("raise ValueError('x' * 10**6)", (BEFORE, IT, AFTER)),
    "recurses": ("(lambda f: f(f))(lambda f: f(f))", (BEFORE, IT, AFTER)),
    "out-of-memory": ("raise MemoryError", (BEFORE, IT, AFTER)),
    "asserts": ("assert 1 == 2", (BEFORE, IT, AFTER)),
    "stops-iterating": ("raise StopIteration", (BEFORE, IT, AFTER)),
    "skips": ("pytest.skip('no')", (BEFORE, AFTER)),
    "xfails": ("pytest.xfail('no')", (BEFORE, IT, AFTER)),
    "exits": ("raise SystemExit(3)", (BEFORE, AFTER)),
    "ends-the-session": ("pytest.exit('enough')", (BEFORE,)),
    "is-interrupted": ("raise KeyboardInterrupt", (BEFORE,)),
    "is-cancelled": ("import asyncio; raise asyncio.CancelledError", (BEFORE, AFTER)),
    "leaves-a-generator": ("raise GeneratorExit", (BEFORE, AFTER)),
}


def processes() -> Iterator[Fault]:
    """What a test does to its process, and how it ends."""
    for name, body in ONCE.items():
        yield Fault(f"test-{name}", body=body)
    for name, (body, kept) in ENDS.items():
        yield Fault(f"test-{name}", body=body, kept=kept, apart=name == "is-interrupted")


OPTIONS = {
    "no-capture": ("-p", "no:capture"),
    "no-terminal": ("-p", "no:terminal"),
    "no-cache": ("-p", "no:cacheprovider"),
    "no-logging": ("-p", "no:logging"),
    "no-warnings-plugin": ("-p", "no:warnings"),
    "no-faulthandler": ("-p", "no:faulthandler"),
    "no-junit": ("-p", "no:junitxml"),
    "no-assertions": ("--assert=plain",),
    "stdout-shown": ("-s",),
    "capture-sys": ("--capture=sys",),
    "capture-tee": ("--capture=tee-sys",),
    "warnings-are-errors": ("-W", "error"),
    "quiet": ("-qqq",),
    "verbose": ("-vvv",),
    "long-traceback": ("--tb=long", "--showlocals"),
    "native-traceback": ("--tb=native",),
    "fulltrace": ("--full-trace",),
    "setup-shown": ("--setup-show",),
    "live-log": ("-o", "log_cli=true", "--log-cli-level=DEBUG"),
    "junit": ("--junitxml=junit.xml",),
    "durations": ("--durations=0",),
    "strict": ("--strict-markers", "--strict-config"),
    "importlib": ("--import-mode=importlib",),
    "stops-at-first": ("-x",),
    "debug": ("--debug",),
    "coloured": ("--color=yes",),
    "no-header": ("--no-header", "--no-summary"),
    "reruns": ("--reruns=1",),
}


def pytests() -> Iterator[Fault]:
    """How pytest may be started."""
    for name, options in OPTIONS.items():
        yield Fault(f"pytest-{name}", options=options)


TEXTS = {
    "escape": "\\x1b[31mred\\x1b]0;title\\x07",
    "newline": "two\\nlines",
    "return": "over\\rwritten",
    "nul": "a\\x00b",
    "surrogate": "\\udc80\\udcff",
    "right-to-left": "\\u202etxt.exe",
    "annotation": "\\n::error::x",
    "html": "<script>alert(1)</script>",
    "markdown": "|`*_[x](y)",
    "braces": "{0} %s {x!r}",
    "long": "x' * 3000 + 'y",
    "empty": "",
    "spaces": "  \\t ",
    "emoji": "\\U0001f525",
    "combining": "e" + "\\u0301" * 20,
}


def texts() -> Iterator[Fault]:
    """Names that devices and errors may have."""
    for name, text in TEXTS.items():
        board = f"BOARD = Device(f'GPU-{{__file__}}', '{text}', 700.0)"
        source = "SOURCE = ScriptedSource(CLOCK, watts=360.0, period_s=1e-6, device=BOARD)"
        yield Fault(f"device-name-{name}", conftest=f"{board}\n{source}")
        body = f"SOURCE.error = SourceError('{text}')"
        yield Fault(f"error-text-{name}", body=body)


FAULTS = (*driver(), *plugins(), *processes(), *pytests(), *files(), *texts())
