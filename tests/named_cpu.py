"""A pytest plugin that lets the estimate's CPU have any name: ``-p named_cpu`` with the variable set."""

import os

from pytest_whq.sources import estimate

VARIABLE = "TEST_CPU_NAME"

if VARIABLE in os.environ:
    vars(estimate)["cpu_name"] = lambda: os.environ[VARIABLE]
