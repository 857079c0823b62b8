"""The fields of a record as files hold them: which may be missing, what each is called, how each is read."""

from dataclasses import MISSING, fields
from typing import Any

from pytest_whq.model import (
    METRICS,
    REASONS,
    BudgetVerdict,
    Comparison,
    Measurement,
    Record,
    Rig,
    Round,
    TokenCount,
)
from pytest_whq.model.imported import Imported
from pytest_whq.model.serving import Load, Stretch
from pytest_whq.storing.curves import read_curve
from pytest_whq.storing.fields import (
    Reader,
    above_zero,
    flag,
    interval,
    list_of,
    mapping_of,
    number,
    object_of,
    one_of,
    optional,
    signed,
    text,
)
from pytest_whq.storing.hints import dataclass_of, readers_of

DETAILS = (
    "net_uncertainty_j",
    "power",
    "failures",
    "distributions",
    "load",
    "phases",
    "tokenizer",
    "notes",
    "server",
    "imported",
    "line",
    "params",
)
"""Fields that a file may lack, and does where they say nothing."""

OF_IMPORTED = ("modelled_wh_per_query", "corrected_wh_per_query")
"""What follows from an imported record, beside its metrics; no other record has such fields."""

read_rig = dataclass_of(Rig)
"""A reader of a rig."""

_metric = one_of(METRICS)
_signed_or_unknown = optional(signed)
# Less its idle draw, a device that a call hardly loads can seem to have drawn less than nothing.
_net = {"net_energy_j": _signed_or_unknown}

_stretches = dict.fromkeys(
    ("ramp_up", "tail"), optional(dataclass_of(Stretch, {"energy_j": _signed_or_unknown}))
)

# No budget has a limit of 0, of which no share is used; and of these shares stay finite.
_LEAST_LIMIT = 1e-100

_budget = dataclass_of(
    BudgetVerdict,
    {"metric": _metric, "value": _signed_or_unknown, "limit": above_zero(_LEAST_LIMIT)},
    renamed={"from": "origin"},
    may_lack=("why",),
)

COMPARISON_NAMES = {"origin": "from"}
"""What an attribute is called in files, where that is a keyword of Python."""

COMPARISON_EXTRAS = frozenset(
    COMPARISON_NAMES.get(field.name, field.name)
    for field in fields(Comparison)
    if field.default is not MISSING
)
"""Fields that the comparison of a file may lack."""


def _comparison(per_token: Reader[Any]) -> Reader[Any]:
    return dataclass_of(
        Comparison,
        {
            "metric": _metric,
            "baseline": _signed_or_unknown,
            "change": _signed_or_unknown,
            "interval95": optional(interval),
            "per_token": per_token,
        },
        renamed={stored: name for name, stored in COMPARISON_NAMES.items()},
        may_lack=COMPARISON_EXTRAS,
    )


_READERS = {
    **readers_of(TokenCount),
    **readers_of(
        Measurement,
        {
            **_net,
            "rounds": list_of(dataclass_of(Round, _net)),
            "interval95": mapping_of(interval, METRICS),
            "reasons": list_of(one_of(REASONS)),
            "power": read_curve,
            "load": optional(dataclass_of(Load, {"edge_queries": signed, **_stretches})),
            "imported": dataclass_of(Imported),
        },
    ),
    **readers_of(
        Record,
        {
            "measurement": object_of({}),
            "budgets": list_of(_budget),
            "comparison": optional(_comparison(optional(_comparison(optional(object_of({})))))),
        },
    ),
    "valid": flag,
    # A file tells the metrics that there were when it was written.
    "metrics": mapping_of(_signed_or_unknown, METRICS),
    "why": mapping_of(text, REASONS),
    **dict.fromkeys(OF_IMPORTED, optional(number)),
}
_FLATTENED = ("measurement", "tokens")
read_record_fields = object_of(
    {name: reader for name, reader in _READERS.items() if name not in _FLATTENED},
    may_lack=("why", *DETAILS, *OF_IMPORTED),
)
"""A reader of a record's fields, flat and by their names; the record is put together of them elsewhere."""
