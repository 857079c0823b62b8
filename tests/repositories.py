"""Small git repositories whose tests load a simulated GPU."""

import subprocess
from pathlib import Path

QUICK = ("--whq-rounds", "3", "--whq-min-seconds", "0.6", "--whq-max-seconds", "0.9", "--whq-warmup", "0")
TEST = """
import time
from simulated_nvml import SimulatedNvml
from chat import WATTS

def chat():
    with SimulatedNvml.attach().gpu(0).busy(WATTS):
        time.sleep(0.1)

def test_chat(whq):
    whq(chat)
"""


def git(folder: Path, *arguments: str) -> str:
    """What git says of the repository in ``folder``."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def make_repository(folder: Path) -> Path:
    """A repository in ``folder`` whose one commit draws 200 W in its one measured test."""
    (folder / "tests").mkdir(parents=True)
    (folder / "chat.py").write_text("WATTS = 200\n")
    (folder / "tests" / "test_chat.py").write_text(TEST)
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["."]\nasyncio_default_fixture_loop_scope = "function"\n'
    )
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "base")
    return folder
