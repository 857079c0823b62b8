"""A plugin of the runs of ``whq ab``: it leaves word which code they imported, and runs suspects alone.

It is loaded by its name in pytest's own process, told what to do by environment variables, and needs nothing
of pytest but its hooks.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

IMPORTED = "WHQ_AB_IMPORTED"
"""The folder in which each process of a run says where its modules came from."""

ONLY = "WHQ_AB_ONLY"
"""A file with the node ids to run, a JSON list; without it all run."""


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out what is not to run again."""
    if path := os.environ.get(ONLY):
        wanted = set(json.loads(Path(path).read_text("utf-8")))
        left_out = [item for item in items if item.nodeid not in wanted]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item.nodeid in wanted]


def pytest_unconfigure() -> None:
    """Write down where the modules of this process came from."""
    if folder := os.environ.get(IMPORTED):
        files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
        told = {name: file for name, file in files.items() if isinstance(file, str)}
        Path(folder, f"{os.getpid()}.json").write_text(json.dumps(told), "utf-8")
