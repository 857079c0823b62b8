"""Everything that goes wrong around a measured session, one row each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

BEFORE, IT, AFTER = "test_before", "test_it", "test_after"


@dataclass(frozen=True)
class Fault:
    """What goes wrong: in ``body`` inside the window of the second test, in ``conftest``, or by ``options``.

    ``world`` is what is measured: ``scripted`` in virtual time, ``nvml`` and ``steady``, a plugin's source,
    in real time. ``kept`` are the tests that must have a record; ``apart`` in a process of its own.
    """

    name: str
    body: str = "pass"
    conftest: str = ""
    options: tuple[str, ...] = ()
    world: str = "scripted"
    kept: tuple[str, ...] = (BEFORE, IT, AFTER)
    apart: bool = False


OPENING = ("nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByUUID")
TELLING = (
    *("nvmlDeviceGetUUID", "nvmlDeviceGetName", "nvmlSystemGetDriverVersion"),
    *("nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetMigMode", "nvmlDeviceGetArchitecture"),
)
READING = ("nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetFieldValues")
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
}


def plugins() -> Iterator[Fault]:
    """Sources of plugins, method by method; and hooks."""
    for method, (name, code) in product(("__init__", "devices", "read", "state", "close"), HOWS.items()):
        text = PLUGIN.format(code=f"def {method}(self):\n        {code}")
        yield Fault(f"source-{method}-{name}", conftest=text, world="steady")
    for name, values in READINGS.items():
        text = PLUGIN.format(
            code="def read(self):\n        now_s = time.monotonic()\n"
            f"        return (Reading(self.devices()[0].id, now_s, {values}),)"
        )
        yield Fault(f"reading-{name}", conftest=text, world="steady")
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
FILES = {
    "report-into-a-full-disk": ("--whq-markdown=/dev/full",),
    "cache-is-a-file": ("-o", "cache_dir=taken"),
    "cache-is-a-link-to-itself": ("-o", "cache_dir=loop"),
    "base-temp-is-odd": ("--basetemp=base temp",),
    "csv-into-a-full-disk": ("--whq-csv=/dev/full",),
    "html-into-a-full-disk": ("--whq-html=/dev/full",),
    "openmetrics-into-a-full-disk": ("--whq-openmetrics=/dev/full",),
}


def pytests() -> Iterator[Fault]:
    """How pytest may be started, and what its files may be."""
    for name, options in (*OPTIONS.items(), *FILES.items()):
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


FAULTS = (*driver(), *plugins(), *processes(), *pytests(), *texts())
