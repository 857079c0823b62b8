"""Sessions that measure scripted sources by a clock of the test's own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pytest_whq.measuring.clock import Clock, measuring_by
from pytest_whq.sources import Opening, standing_in


@contextmanager
def sessions_measure(clock: Clock | None = None, **sources: Opening) -> Iterator[None]:
    """Pytest sessions that begin meanwhile in this process measure by ``clock`` and on ``sources``.

    The name of each is that of --whq-source, also one that is built in, as ``nvml``, and what stands there
    opens it, given the setting of --whq-devices. Without a ``clock`` time is the real one.

    In the conftest file of a project under test:

    ```python
    def pytest_configure(config):
        scripted = ExitStack()
        scripted.enter_context(sessions_measure(CLOCK, nvml=lambda devices: SOURCE))
        config.add_cleanup(scripted.close)
    ```
    """
    with ExitStack() as meanwhile:
        if clock is not None:
            meanwhile.enter_context(measuring_by(clock))
        meanwhile.enter_context(standing_in(sources))
        yield
