"""One thing that goes wrong around a measured session."""

from dataclasses import dataclass

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
