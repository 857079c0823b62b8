"""A `Record` and a `Rig` as plain data, which crosses processes and goes to files, and back."""

from collections.abc import Mapping
from dataclasses import fields, replace
from math import isclose
from typing import Any, TypeVar

from pytest_whq.errors import ReasonCode, RunFileError
from pytest_whq.model import (
    BudgetVerdict,
    Comparison,
    Measurement,
    Reason,
    Record,
    Rig,
    TokenCount,
)
from pytest_whq.storing.fields import FieldError, Reader, count, number, shown
from pytest_whq.storing.files import RECORD_AGAIN
from pytest_whq.storing.plain_data import plain
from pytest_whq.storing.record_fields import (
    COMPARISON_EXTRAS,
    COMPARISON_NAMES,
    DETAILS,
    OF_IMPORTED,
    read_record_fields,
    read_rig,
)

# What a person looks for first stands first; fields not named here follow.
_RECORD_ORDER = (
    *("test", "outcome", "valid", "reasons", "method", "queries", "failed_queries"),
    *("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens"),
    *("energy_j", "net_energy_j", "uncertainty_j", "net_uncertainty_j", "duration_s"),
    *("metrics", "interval95"),
    *("rounds", "devices", "budgets", "comparison"),
)

Value = TypeVar("Value")


def rig_as_dict(rig: Rig) -> dict[str, Any]:
    """``rig`` as plain data."""
    data: dict[str, Any] = plain(rig)
    return data


def record_as_dict(record: Record) -> dict[str, Any]:
    """``record`` as plain data: its measurement flat, with what derives from it beside it."""
    measurement = record.measurement
    # Verdicts are stored in a form of their own, below.
    flat: dict[str, Any] = plain(replace(record, budgets=(), comparison=None))
    flat |= flat.pop("measurement")
    flat |= flat.pop("tokens")
    sentences = _sentences(measurement.reasons)
    flat |= {
        "valid": measurement.valid,
        "reasons": list(sentences),
        "metrics": measurement.metrics,
        "budgets": [_budget_as_dict(verdict) for verdict in record.budgets],
        "comparison": _comparison_as_dict(record.comparison),
    }
    if sentences:
        flat["why"] = sentences
    if measurement.imported is not None:
        flat |= {name: getattr(measurement, name) for name in OF_IMPORTED}
    flat = {name: value for name, value in flat.items() if value or name not in DETAILS}
    return {name: flat[name] for name in dict.fromkeys((*_RECORD_ORDER, *flat)) if name in flat}


def _sentences(reasons: tuple[Reason, ...]) -> dict[str, str]:
    """Code -> sentence; what is said twice of one code, as of two devices, is joined."""
    joined: dict[str, str] = {}
    for reason in reasons:
        before = joined.get(reason.code)
        joined[reason.code] = reason.sentence if before is None else f"{before}; {reason.sentence}"
    return joined


def _budget_as_dict(verdict: BudgetVerdict) -> dict[str, Any]:
    data: dict[str, Any] = plain(verdict)
    why = data.pop("why")
    # ``from`` is a keyword of Python and so cannot name the attribute.
    return data | {"from": data.pop("origin")} | ({} if why is None else {"why": why})


def _comparison_as_dict(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    data = {COMPARISON_NAMES.get(name, name): value for name, value in plain(comparison).items()}
    data["per_token"] = _comparison_as_dict(comparison.per_token)
    return {name: value for name, value in data.items() if name not in COMPARISON_EXTRAS or value}


def record_from_dict(data: Any, where: str) -> Record:
    """The record in ``data``; a RunFileError begins with ``where``."""
    return read_with(read_record, data, where)


def rig_from_dict(data: Any, where: str) -> Rig:
    """The rig in ``data``; a RunFileError begins with ``where``."""
    rig: Rig = read_with(read_rig, data, where)
    return rig


def check_format(found: Any, known: int, where: str, kind: str, instead: str = "") -> None:
    """Refuse a file of ``kind`` whose format is not the ``known`` one; ``instead`` begins what to do."""
    if type(found) is int and found == known:
        return
    do = f"{instead}, or read it" if instead else "Read it"
    raise RunFileError(
        f"{where} is {kind} format {shown(found)}; this version of pytest-whq reads {known}. "
        f"{do} with the version that wrote it."
    )


def read_with(reader: Reader[Value], data: Any, where: str, remedy: str = RECORD_AGAIN) -> Value:
    """What ``reader`` reads in ``data``; a RunFileError begins with ``where`` and names the field."""
    try:
        return reader(data)
    except FieldError as wrong:
        raise RunFileError(f"{where}: {wrong}. {remedy}") from None


def _record(data: Any) -> Record:
    """The record in ``data``, put together from its flat fields."""
    found = read_record_fields(data)
    measurement = _part(
        Measurement,
        found,
        tokens=_part(TokenCount, found),
        reasons=_reasons(found["reasons"], found.get("why", {})),
        power=found.get("power"),
    )
    _check_derived(measurement, found)
    return _part(Record, found, measurement=measurement)


def _part(cls: type[Value], found: Mapping[str, Any], **given: Any) -> Value:
    """A ``cls`` of the fields of a flat record that are its own, and those ``given``."""
    names = [field.name for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    own = {name: found[name] for name in names if name in found or name not in DETAILS}
    return cls(**own, **given)


def _reasons(codes: tuple[ReasonCode, ...], sentences: Mapping[str, str]) -> tuple[Reason, ...]:
    for code in sentences:
        if code not in codes:
            raise FieldError("explains a code that is not among the reasons", f"why.{code}")
    return tuple(Reason(code, sentences.get(code, "")) for code in codes)


def _check_derived(measurement: Measurement, found: Mapping[str, Any]) -> None:
    """FieldError where what a file says beside its measured fields does not follow from them."""
    _check_known(measurement)
    if found["valid"] is not measurement.valid:
        raise FieldError(f"is {shown(found['valid'])}, but the reasons say otherwise", "valid")
    for metric, stored in found["metrics"].items():
        derived = measurement.metric(metric)
        if not _agree(stored, derived):
            raise FieldError(
                f"is {shown(stored)}, but the other fields give {shown(derived)}", f"metrics.{metric}"
            )
    _check_imported(measurement, found)


def _check_known(measurement: Measurement) -> None:
    """FieldError where something is unknown that only a tool of others may leave unknown."""
    for name, reader in _MUST_KNOW.items():
        if measurement.imported is None and getattr(measurement, name) is None:
            try:
                reader(None)
            except FieldError as wrong:
                raise wrong.inside(name) from None


_MUST_KNOW: Mapping[str, Reader[Any]] = {"queries": count, "failed_queries": count, "duration_s": number}
"""What a record knows that was not imported."""


def _check_imported(measurement: Measurement, found: Mapping[str, Any]) -> None:
    for name in OF_IMPORTED:
        if (name in found) != (measurement.imported is not None):
            raise FieldError("must be there in an imported record and in no other", name)
        if not _agree(found.get(name), derived := getattr(measurement, name)):
            raise FieldError(f"is {shown(found[name])}, but the other fields give {shown(derived)}", name)


def _agree(stored: float | None, derived: float | None) -> bool:
    if stored is None or derived is None:
        return stored is derived
    return isclose(stored, derived, rel_tol=1e-3)


read_record = Reader(_record, {"title": "Record", **read_record_fields.schema})
"""A reader of a record, as `record_as_dict` writes it."""
