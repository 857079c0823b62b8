"""The power sources that plugins offer by ``pytest_whq_power_sources``, in a session or outside pytest."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_whq.errors import SettingError, described
from pytest_whq.sources.base import PowerSource

HOOK = "pytest_whq_power_sources"


def gather_offers(hooks: Iterable[tuple[str, Callable[[], Any]]]) -> Mapping[str, Callable[[], PowerSource]]:
    """What ``hooks`` offer, pairs of a plugin's name and its hook; SettingError where two offer one name."""
    offered: dict[str, Callable[[], PowerSource]] = {}
    owners: dict[str, str] = {}
    for owner, hook in hooks:
        for name, factory in _offer(owner, hook).items():
            if name in offered:
                raise SettingError(
                    f"Two plugins offer a power source by the name {name!r}: {owners[name]} and {owner}. "
                    "Rename one of them."
                )
            offered[name], owners[name] = factory, owner
    return offered


def installed_offers() -> Mapping[str, Callable[[], PowerSource]]:
    """What the installed pytest plugins offer, outside pytest; SettingError where one cannot be used.

    Only a plugin whose own module names the hook is imported, so that none that has no source costs
    anything. What a conftest.py offers only pytest knows.
    """
    return gather_offers(_installed_hooks())


def _installed_hooks() -> Iterator[tuple[str, Callable[[], Any]]]:
    for plugin in entry_points(group="pytest11"):
        if not _names_the_hook(plugin.module):
            continue
        hook = getattr(_loaded(plugin), HOOK, None)
        if hook is not None:
            yield plugin.name, hook


def _loaded(plugin: EntryPoint) -> object:
    try:
        return plugin.load()
    except Exception as error:  # A plugin's own code: anything may come out of it.
        raise SettingError(
            f"The pytest plugin {plugin.name} cannot be imported: {described(error)}"
        ) from error


def _names_the_hook(module: str) -> bool:
    """Whether the source of ``module``, which is not imported, has the hook's name in it."""
    top, *below = module.split(".")
    try:
        spec = find_spec(top)
        for part in below:
            # find_spec would import what stands above it.
            spec = spec and PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
        return spec is not None and HOOK in Path(spec.origin or "").read_text("utf-8")
    except (OSError, ValueError):
        return False


def _offer(owner: str, hook: Callable[[], Any]) -> Mapping[str, Callable[[], PowerSource]]:
    try:
        offer = hook()
    except Exception as error:
        raise SettingError(f"{HOOK} of {owner} failed: {described(error)}") from error
    if not isinstance(offer, Mapping) or not all(callable(factory) for factory in offer.values()):
        raise SettingError(
            f"{HOOK} of {owner} must return a dict of names and functions that open a source, not {offer!r}."
        )
    return offer
