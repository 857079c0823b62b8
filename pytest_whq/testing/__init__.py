"""For tests of measuring code that state exact numbers: a plugin's own, and those of pytest-whq.

```python
clock = FakeClock()
source = ScriptedSource(clock, watts=70.0)
measurement = measured_window(source, clock, lambda: source.call(0.5, watts=450.0))
assert measurement.energy_j == pytest.approx(225.0, rel=1e-3)
```

Only `MeasuredProject` needs pytest, and is imported on first use.
"""

from typing import TYPE_CHECKING, Any

from pytest_whq.testing.clock import FakeClock
from pytest_whq.testing.sessions import sessions_measure
from pytest_whq.testing.source import ScriptedSource
from pytest_whq.testing.window import measured_window

if TYPE_CHECKING:
    from pytest_whq.testing.project import MeasuredProject

__all__ = ["FakeClock", "MeasuredProject", "ScriptedSource", "measured_window", "sessions_measure"]


def __getattr__(name: str) -> Any:
    if name == "MeasuredProject":
        from pytest_whq.testing.project import MeasuredProject

        return MeasuredProject
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
