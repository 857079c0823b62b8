"""The options, one row each: the same name is an ini setting with ``_`` for ``-``.

Only what pytest needs at every start is here, in plain tuples, because every session of everyone who
has the plugin installed pays for it; what the values mean is for `settings`.
"""

from typing import Any

import pytest

FLAG, VALUE, LIST, MAYBE = "store_const", "store", "append", "store or not"

OPTIONS = (
    ("--whq-budget", FLAG, None, "Fail tests that exceed their energy budgets or regress."),
    ("--whq-max", LIST, "METRIC=VALUE", "Cap a metric for every measured test; implies --whq-budget."),
    ("--whq-estimate", FLAG, None, "Enforce budgets on estimated figures, too."),
    ("--whq-max-failed", VALUE, "N", "Queries of a test that may fail: a count, or a share such as 5%."),
    (
        "--whq-source",
        VALUE,
        "NAME",
        "Where joules come from: auto (default), nvml, rapl, a sum a+b, ...",
    ),
    ("--whq-devices", VALUE, "LIST", "Indices, UUIDs or all; default: what CUDA_VISIBLE_DEVICES leaves."),
    ("--whq-role", LIST, "ROLE=PATTERN", "Devices that fit have this role, such as prefill or decode."),
    ("--whq-prometheus-query", VALUE, "SELECTOR", "Which series of a Prometheus are energy or power."),
    ("--whq-server", VALUE, "URL", "The inference engine whose own counters are read beside."),
    (
        "--whq-driver-timeout",
        VALUE,
        "S",
        "How long a driver may take to open, answer or close (default: 10).",
    ),
    ("--whq-wait", VALUE, "S", "How long to wait for a device that others measure on (default: 1800)."),
    ("--whq-tokenizer", VALUE, "NAME", "Count text replies with this tokenizer file or module:function."),
    ("--whq-rounds", VALUE, "N", "Rounds of whq(call); default: until --whq-precision, at least 5."),
    ("--whq-warmup", VALUE, "N", "Calls before the first round, not measured (default: 1)."),
    ("--whq-min-seconds", VALUE, "S", "Measure whq(call) at least this long (default: 5)."),
    ("--whq-max-seconds", VALUE, "S", "Measure whq(call) at most this long (default: 30)."),
    ("--whq-precision", VALUE, "P", "The ± of the 95 % interval at which whq(call) ends (default: 2%)."),
    ("--whq-idle-ok", FLAG, None, "Devices that are measured may do nothing meanwhile."),
    ("--whq-max-cached", VALUE, "P", "Input tokens that may come from a prompt cache (default: 100%)."),
    ("--whq-baseline", VALUE, "PATH", "Compare with this baseline (default: whq-baseline.json)."),
    ("--whq-update-baseline", FLAG, None, "Accept this run into the baseline."),
    ("--whq-max-regression", VALUE, "P", "Energy that a test may use above its baseline (default: 5%)."),
    ("--whq-run-noise", VALUE, "P", "How much runs of the same code differ at least (default: 1%)."),
    ("--whq-other-boards", VALUE, "P", "Compare with other boards of the model, which differ by so much."),
    ("--whq-remeasure", VALUE, "N", "Measure whq(call) up to N times more where it seems to have changed."),
    ("--whq-when", LIST, "CASE=POLICY", "pass, warn or fail when no_baseline, new, inconclusive, ..."),
    ("--whq-fail-inconclusive", FLAG, None, "The same as --whq-when inconclusive=fail."),
    ("--whq-sort", VALUE, "COLUMN", "Sort the terminal's table: name, energy, change, ...; -energy falls."),
    ("--whq-columns", VALUE, "LIST", "Columns of the terminal's table, such as power,tokens,budget."),
    ("--whq-group-by", VALUE, "WHAT", "Set variants side by side: by test, file, all or param:NAME."),
    ("--whq-name", VALUE, "NAME", "What reports call this run, where there are several, as of a matrix."),
    ("--whq-json", VALUE, "PATH", "Write the records to this file; a report makes its folder."),
    ("--whq-markdown", VALUE, "PATH", "Write a report in Markdown, for a pull request."),
    ("--whq-html", VALUE, "PATH", "Write a report as one HTML page."),
    ("--whq-csv", VALUE, "PATH", "Write the records as comma-separated values."),
    ("--whq-openmetrics", VALUE, "PATH", "Write the metrics as OpenMetrics text."),
    ("--whq-save", MAYBE, "FOLDER", "Keep the run in a history (default: .whq/history)."),
    ("--whq-grid", VALUE, "GRID", "Where it runs, for gCO2e: 485 g/kWh, JPN, gcp:asia-northeast1."),
    ("--whq-price", VALUE, "PRICE", "What electricity costs there, such as 31 JPY/kWh."),
    ("--whq-pue", VALUE, "PUE", "The data centre's energy over that of its machines, such as 1.2."),
    ("--whq-benchmark", FLAG, None, "Measure the benchmark fixture of pytest-benchmark and codspeed."),
    ("--whq-only", FLAG, None, "Run only measured tests."),
    ("--whq-skip", FLAG, None, "Leave measured tests out."),
    ("--whq-disable", FLAG, None, "Run measured calls once, without measuring."),
)
"""Option, argparse's action, what its value is called in the help, and the help."""

_IDLE_UNTIL_MEASURED = ("whq_skip", "whq_disable", "whq_benchmark")
"""These do nothing where no test is measured; any other option starts the session at once."""

# A TOML file may say 5 and true without quotes, where pytest knows unions.
_SCALAR: Any = str | int | float | bool if pytest.version_tuple >= (9, 2) else "string"


def name_of(option: str) -> str:
    """The name of ``--an-option`` as an ini setting and as an attribute of pytest's options."""
    return option.removeprefix("--").replace("-", "_")


def add_options(parser: pytest.Parser) -> None:
    """Tell pytest of every option, as an option and as an ini setting."""
    group = parser.getgroup("whq", "energy of LLM inference (pytest-whq)")
    for option, action, metavar, meaning in OPTIONS:
        name = name_of(option)
        kind: dict[str, Any] = {"const": True} if metavar is None else {"metavar": metavar}
        if action == MAYBE:
            # Without a value it is empty, which no file's setting is.
            action, kind = VALUE, {**kind, "nargs": "?", "const": ""}
        # No default but None: any other would hide the ini setting. With ``dest`` given, pytest does
        # not compare it to that of every other option.
        group.addoption(
            option, dest=name, action=action, default=None, help=meaning.replace("%", "%%"), **kind
        )
        ini_type: Any = "linelist" if action == LIST else _SCALAR
        parser.addini(name, meaning, type=ini_type, default=None)


def wanted_from_the_start(config: pytest.Config) -> bool:
    """Whether the user asks for something that needs the session even without a measured test.

    Ini settings do so only where they choose tests: what a project has set once must not burden
    its other tests.
    """
    names = (name_of(option) for option, *_ in OPTIONS)
    asked = any(config.getoption(name) is not None for name in names if name not in _IDLE_UNTIL_MEASURED)
    return asked or config.getini("whq_only") is not None
