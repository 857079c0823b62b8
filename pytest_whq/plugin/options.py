"""The options, one row each: the same name is an ini setting with ``_`` for ``-``.

Only what pytest needs at every start is here; what the values mean is for `settings`.
"""

from typing import Any, NamedTuple

import pytest


class Option(NamedTuple):
    """A row of `OPTIONS`; without ``metavar`` it is a flag.

    ``always`` when it acts even where no test is measured, and so starts the session at once.
    """

    flag: str
    metavar: str | None
    help: str
    repeatable: bool = False
    always: bool = True

    @property
    def name(self) -> str:
        """Its name as an ini setting and as an attribute of pytest's options."""
        return self.flag.removeprefix("--").replace("-", "_")


OPTIONS = (
    Option("--whq-budget", None, "Fail tests that exceed their energy budgets."),
    Option("--whq-max", "METRIC=VALUE", "Cap a metric for every measured test; implies --whq-budget.", True),
    Option("--whq-estimate", None, "Enforce budgets on estimated figures, too."),
    Option("--whq-source", "NAME", "Where joules come from: auto (default), nvml, estimate, a sum a+b."),
    Option("--whq-devices", "LIST", "Indices, UUIDs or all; default: what CUDA_VISIBLE_DEVICES leaves."),
    Option("--whq-rounds", "N", "Rounds of whq(call); default: until --whq-precision, at least 5."),
    Option("--whq-warmup", "N", "Calls before the first round, not measured (default: 1)."),
    Option("--whq-min-seconds", "S", "Measure whq(call) at least this long (default: 5)."),
    Option("--whq-max-seconds", "S", "Measure whq(call) at most this long (default: 30)."),
    Option("--whq-precision", "P", "Width of the 95 % interval that ends whq(call) (default: 2%)."),
    Option("--whq-json", "PATH", "Write the records to this file."),
    Option("--whq-only", None, "Run only measured tests."),
    Option("--whq-skip", None, "Leave measured tests out.", always=False),
    Option("--whq-disable", None, "Run measured calls once, without measuring.", always=False),
)

# A TOML file may say 5 and true without quotes, where pytest knows unions.
_SCALAR: Any = str | int | float | bool if pytest.version_tuple >= (9, 2) else "string"


def add_options(parser: pytest.Parser) -> None:
    """Tell pytest of every option, as an option and as an ini setting."""
    group = parser.getgroup("whq", "energy of LLM inference (pytest-whq)")
    for option in OPTIONS:
        # No default but None: any other would hide the ini setting.
        kind: dict[str, Any] = {"action": "store_const", "const": True}
        if option.metavar is not None:
            kind = {"action": "append" if option.repeatable else "store", "metavar": option.metavar}
        group.addoption(option.flag, default=None, help=option.help.replace("%", "%%"), **kind)
        ini_type: Any = "linelist" if option.repeatable else _SCALAR
        parser.addini(option.name, option.help, type=ini_type, default=None)


def wanted_from_the_start(config: pytest.Config) -> bool:
    """Whether the user asks for something that needs the session even without a measured test.

    Ini settings do so only where they choose tests: what a project has set once must not burden
    its other tests.
    """
    asked = any(config.getoption(option.name) is not None for option in OPTIONS if option.always)
    return asked or config.getini("whq_only") is not None
