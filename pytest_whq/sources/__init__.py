"""Where joules come from: the table of power sources, and how one is chosen by its name."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from pytest_whq.errors import SettingError, SourceError, WhqError, did_you_mean
from pytest_whq.sources.base import PowerSource


def _nvml(devices: str | None) -> PowerSource:
    from pytest_whq.sources.nvml.source import NvmlSource

    return NvmlSource(devices)


def _estimate(devices: str | None) -> PowerSource:
    from pytest_whq.sources.estimate import EstimateSource

    return EstimateSource()


BUILT_IN: Mapping[str, Callable[[str | None], PowerSource]] = {
    "nvml": _nvml,
    "estimate": _estimate,
}
"""Name -> what opens that source, given the setting of --whq-devices; imports happen on opening."""

AUTO = ("nvml", "estimate")
"""What ``auto`` tries, in this order; the last always works."""


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A power source that works, and what it says of itself; what it does not say is None.

    ``name`` is the name chosen, for ``auto`` that of the source that it came to. ``fell_back`` is
    the sentence why ``auto`` came to an estimate.
    """

    name: str
    source: PowerSource
    scope: str | None
    driver: str | None
    estimated: bool
    fell_back: str | None = None


def open_source(
    name: str,
    devices: str | None = None,
    extra: Mapping[str, Callable[[], PowerSource]] | None = None,
) -> OpenedSource:
    """Open the power source ``name``: built in, one of ``extra``, a sum ``a+b``, or ``auto``.

    ``auto`` passes over a source only where there is nothing that it could measure (a SourceError
    with the code ``no_source``): a GPU that cannot be read is never replaced by an estimate.
    Raises SettingError for a name that cannot be used, SourceError where the source cannot be
    opened; an exception of another kind out of a factory of ``extra`` becomes a SourceError.
    """
    factories = extra or {}
    names = parts_of(name, factories)
    if names == ["auto"]:
        return _open_auto(devices)
    with ExitStack() as opened:
        parts = []
        for part in names:
            parts.append(_open_one(part, devices, factories))
            opened.callback(parts[-1].close)
        source = parts[0] if len(parts) == 1 else _combine(parts)
        result = _describe("+".join(names), source)
        opened.pop_all()
    return result


def parts_of(name: str, extra: Mapping[str, Callable[[], PowerSource]]) -> list[str]:
    """The names that a sum ``a+b`` adds, or the one name; SettingError for one that cannot be used."""
    for taken in ("auto", *BUILT_IN):
        if taken in extra:
            raise SettingError(
                f"A plugin offers a power source by the name {taken}, which pytest-whq uses itself: "
                "give it another name in pytest_whq_power_sources."
            )
    names = [part.strip() for part in name.split("+")]
    for part in names:
        _check_name(part, extra, in_sum=len(names) > 1)
    return names


def _open_auto(devices: str | None) -> OpenedSource:
    *sensors, last = AUTO
    passed_over = []
    for name in sensors:
        try:
            return _describe(name, BUILT_IN[name](devices))
        except SourceError as error:
            if error.code != "no_source":
                raise
            passed_over.append(str(error))
    return replace(_describe(last, BUILT_IN[last](devices)), fell_back=" ".join(passed_over))


def _check_name(name: str, extra: Mapping[str, Callable[[], PowerSource]], *, in_sum: bool) -> None:
    known = [*BUILT_IN, *extra] if in_sum else ["auto", *BUILT_IN, *extra]
    if name in known:
        return
    where = "a sum can hold" if in_sum else "there are"
    hint = did_you_mean(name, known)
    raise SettingError(f"There is no power source {name!r}{hint}: {where} {', '.join(known)}.")


def _open_one(name: str, devices: str | None, extra: Mapping[str, Callable[[], PowerSource]]) -> PowerSource:
    if name in BUILT_IN:
        return BUILT_IN[name](devices)
    try:
        source = extra[name]()
    except WhqError:
        raise
    except Exception as error:  # A plugin's own code: anything may come out of it.
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise SourceError(f"The power source {name} cannot be opened: {what}") from error
    if not isinstance(source, PowerSource):
        raise SourceError(
            f"The power source {name} cannot be used: its factory gives a {type(source).__name__}, "
            "not an object with devices(), read(), state() and close()."
        )
    return source


def _combine(parts: list[PowerSource]) -> PowerSource:
    from pytest_whq.sources.combined import CombinedSource

    return CombinedSource(parts)


def _describe(name: str, source: PowerSource) -> OpenedSource:
    return OpenedSource(
        name=name,
        source=source,
        scope=getattr(source, "scope", None),
        driver=getattr(source, "driver", None),
        estimated=bool(getattr(source, "estimated", False)),
    )
