"""The options, one row each: the same name is an ini setting with ``_`` for ``-``.

Only what pytest needs at every start is here; what the values mean is for `settings`.
"""

from typing import Any, NamedTuple

import pytest


class Option(NamedTuple):
    """A row of `OPTIONS`; without ``metavar`` it is a flag."""

    flag: str
    metavar: str | None
    help: str
    repeatable: bool = False

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
    Option("--whq-precision", "P", "Width of the 95 %% interval that ends whq(call) (default: 2%%)."),
    Option("--whq-json", "PATH", "Write the records to this file."),
    Option("--whq-only", None, "Run only measured tests."),
    Option("--whq-skip", None, "Leave measured tests out."),
    Option("--whq-disable", None, "Run measured calls once, without measuring."),
)

_SCALAR: Any = str | int | float | bool

_ACTIVE = tuple(option.name for option in OPTIONS if option.name not in ("whq_skip", "whq_disable"))


def add_options(parser: pytest.Parser) -> None:
    """Tell pytest of every option, as an option and as an ini setting."""
    group = parser.getgroup("whq", "energy of LLM inference (pytest-whq)")
    # Where pytest knows unions, a TOML file may say 5 and true without quotes.
    kind: Any = _SCALAR if pytest.version_tuple >= (9, 2) else "string"
    for option in OPTIONS:
        # No default but None: any other would hide the ini setting.
        if option.metavar is None:
            group.addoption(option.flag, action="store_const", const=True, default=None, help=option.help)
        else:
            action = "append" if option.repeatable else "store"
            group.addoption(
                option.flag, action=action, metavar=option.metavar, default=None, help=option.help
            )
        parser.addini(
            option.name,
            option.help.replace("%%", "%"),
            type="linelist" if option.repeatable else kind,
            default=None,
        )


def any_given(config: pytest.Config) -> bool:
    """Whether the command line asks for something that needs the plugin even without a measured test."""
    return any(config.getoption(name) is not None for name in _ACTIVE)
