"""The time that goes on, also where a test has stopped Python's clocks."""

import time
from functools import partial

# freezegun puts functions of its own in place of time.monotonic and its like, also where this is imported
# only then, and time-machine patches them from within; neither touches this clock.
now_s = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC) if hasattr(time, "clock_gettime") else time.monotonic
)
"""Seconds on the clock of `time.monotonic`."""
