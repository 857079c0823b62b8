"""Devices of other machines by the beginnings of their ids, which are long."""

from collections.abc import Callable, Collection

from pytest_whq.errors import SourceError


def ids_named(devices: str | None, ids: Collection[str], wrong: Callable[[str], str]) -> list[str]:
    """Those of ``ids`` that the setting of --whq-devices names: ids, which may be abbreviated, or all.

    SourceError says what is ``wrong`` with an entry that none begins with.
    """
    if devices is None or devices.strip() == "all":
        return list(ids)
    named: dict[str, None] = {}
    for entry in (each.strip() for each in devices.split(",")):
        found = [id_ for id_ in ids if entry and id_.startswith(entry)]
        if not found:
            raise SourceError(wrong(entry))
        named |= dict.fromkeys(found)
    return list(named)
