"""Where joules come from: the table of power sources, and how one is chosen by its name."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pytest_whq.errors import SettingError, SourceError, did_you_mean
from pytest_whq.sources.base import PowerSource
from pytest_whq.sources.built_in import BuiltIn
from pytest_whq.sources.facts import SourceFacts, facts_of

Opening = Callable[[str | None], PowerSource]
"""Opens a source, given the setting of --whq-devices."""

Offers = Mapping[str, Callable[[], PowerSource]]
"""Sources that are not built in: name -> what opens one, as `pytest_whq_power_sources` gives them."""

BUILT_IN: Mapping[str, Opening] = {
    "nvml": BuiltIn("nvml.source", "NvmlSource", chooses_devices=True),
    "rapl": BuiltIn("sysfs.rapl", "RaplSource"),
    "hwmon": BuiltIn("sysfs.hwmon", "HwmonSource", chooses_devices=True),
    "amdsmi": BuiltIn("amdsmi.source", "AmdsmiSource", chooses_devices=True),
    "zeus": BuiltIn("zeus", "ZeusSource", chooses_devices=True),
    "estimate": BuiltIn("estimate", "EstimateSource"),
}
"""Name -> what opens that source; imports happen on opening."""

AT_ADDRESSES: Mapping[str, BuiltIn] = {
    "dcgm": BuiltIn("remote.dcgm", "DcgmSource"),
    "redfish": BuiltIn("remote.redfish", "RedfishSource"),
    "prometheus": BuiltIn("remote.prometheus", "PrometheusSource", takes_selector=True),
}
"""Kind -> what opens a source that is named with where it answers: ``dcgm:http://node:9400``."""

AUTO = ("nvml", "rapl", "estimate")
"""What ``auto`` tries, in this order; the last always works."""

_OF_THE_CPU = frozenset({"rapl"})
"""Where these cannot be read, as for want of permission, ``auto`` goes on: an estimate is of the CPU, too."""

_stand_ins: dict[str, Opening] = {}


@contextmanager
def standing_in(openings: Mapping[str, Opening]) -> Iterator[None]:
    """Meanwhile a name of ``openings`` is opened by what stands there, built in or not: for tests."""
    before = dict(_stand_ins)
    _stand_ins.update(openings)
    try:
        yield
    finally:
        _stand_ins.clear()
        _stand_ins.update(before)


def built_in() -> Mapping[str, Opening]:
    """The table of power sources, with what stands in for them."""
    return {**BUILT_IN, **_stand_ins}


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A power source that works, and what it says of itself.

    ``name`` is the name chosen, for ``auto`` that of the source that it came to. ``fell_back`` is
    the sentence why ``auto`` came to an estimate.
    """

    name: str
    source: PowerSource
    facts: SourceFacts
    fell_back: str | None = None


def open_source(
    name: str,
    devices: str | None = None,
    extra: Offers | None = None,
    selector: str | None = None,
) -> OpenedSource:
    """Open the power source ``name``: built in, one of ``extra``, a sum ``a+b``, or ``auto``.

    ``devices`` is the setting of --whq-devices, ``selector`` that of --whq-prometheus-query.

    ``auto`` passes over a source only where there is nothing that it could measure (a SourceError
    with the code ``no_source``) or that is of the CPU, as is the estimate which it comes to at last: a
    GPU that cannot be read is never replaced by an estimate.
    Raises SettingError for a name that cannot be used, SourceError where the source cannot be
    opened; an exception of another kind out of a factory of ``extra`` becomes a SourceError.
    """
    factories = extra or {}
    names = parts_of(name, factories, selector)
    if names == ["auto"]:
        return _open_auto(devices)
    with ExitStack() as opened:
        parts = []
        for part in names:
            parts.append(_open_one(part, devices, factories, selector))
            opened.callback(parts[-1].close)
        source = parts[0] if len(parts) == 1 else _combine(parts)
        # By the kinds alone: an address is of where, not of what, and may hold a password.
        result = _opened("+".join(name.partition(":")[0] for name in names), source)
        opened.pop_all()
    return result


def parts_of(name: str, extra: Offers, selector: str | None = None) -> list[str]:
    """The names that a sum ``a+b`` adds, or the one name; SettingError for what cannot be used."""
    for taken in ("auto", *built_in(), *AT_ADDRESSES):
        if taken in extra:
            raise SettingError(
                f"A plugin offers a power source by the name {taken}, which pytest-whq uses itself: "
                "give it another name in pytest_whq_power_sources."
            )
    names = [part.strip() for part in name.split("+")]
    for part in names:
        _check_name(part, extra, selector, in_sum=len(names) > 1)
    return names


def _open_auto(devices: str | None) -> OpenedSource:
    *sensors, last = AUTO
    passed_over = []
    for name in sensors:
        try:
            return _opened(name, built_in()[name](devices))
        except SourceError as error:
            if error.code != "no_source" and name not in _OF_THE_CPU:
                raise
            passed_over.append(str(error))
    if devices is not None:
        passed_over.append(f"--whq-devices {devices} chooses among GPUs, and there is none.")
    return replace(_opened(last, built_in()[last](devices)), fell_back=" ".join(passed_over))


def _check_name(name: str, extra: Offers, selector: str | None, *, in_sum: bool) -> None:
    kind, colon, addresses = name.partition(":")
    if kind in AT_ADDRESSES:
        _check_addresses(kind, addresses)
        _check_selector(selector)
        return
    known = [*built_in(), *extra] if in_sum else ["auto", *built_in(), *extra]
    if name in known:
        return
    name = f"{kind}:..." if colon else name
    known += [f"{kind}:URL" for kind in AT_ADDRESSES]
    where = "a sum can hold" if in_sum else "there are"
    raise SettingError(
        f"There is no power source {name!r}{did_you_mean(name, known)}: {where} {', '.join(known)}."
    )


def _check_addresses(kind: str, addresses: str) -> None:
    # Imported here: few sessions ask over HTTP, and urllib takes its time.
    from pytest_whq.scraping.address import address_of_source
    from pytest_whq.scraping.prometheus import with_token

    for text in addresses.split(","):
        address = address_of_source(kind, text)
        if kind == "prometheus":
            with_token(address)


def _check_selector(selector: str | None) -> None:
    from pytest_whq.sources.remote.series import selectors_from

    selectors_from(selector)


def _open_one(name: str, devices: str | None, extra: Offers, selector: str | None) -> PowerSource:
    kind, _, addresses = name.partition(":")
    if kind in AT_ADDRESSES:
        return AT_ADDRESSES[kind].at(addresses, devices, selector)
    if (opening := built_in().get(name)) is not None:
        return opening(devices)
    # Imported here: without a plugin's source there is nothing to check.
    from pytest_whq.sources.plugin_source import checked

    return checked(name, extra[name])


def _combine(parts: list[PowerSource]) -> PowerSource:
    from pytest_whq.sources.combined import CombinedSource

    return CombinedSource(parts)


def _opened(name: str, source: PowerSource) -> OpenedSource:
    return OpenedSource(name, source, facts_of(source))
