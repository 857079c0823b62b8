"""A chat server for the tests: one of our own, or the one that WHQ_EXAMPLE_BASE_URL names.

The fixtures hand out OpenAI's client, so that the tests do not know which of them they talk to.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI, OpenAI

PROJECT = Path(__file__).parent.parent
STARTUP_SECONDS = 120
API_KEY = os.environ.get("OPENAI_API_KEY", "none")


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the API is, ``/v1`` included."""
    if url := os.environ.get("WHQ_EXAMPLE_BASE_URL"):
        yield url
        return
    log = tmp_path_factory.mktemp("chat_service") / "server.log"
    command = [sys.executable, "-m", "chat_service", "--port", "0"]
    # A child of the tests' own process: the estimate for machines without a sensor counts it.
    with (
        log.open("w") as output,
        subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT) as server,
    ):
        try:
            yield f"{_wait_until_ready(server, log)}/v1"
        finally:
            server.terminate()


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the server prints once it is ready."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while not (ready := re.search(r"http://\S+\n", log.read_text())):
        if server.poll() is not None:
            raise RuntimeError(f"chat_service ended with exit code {server.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"chat_service is not ready after {STARTUP_SECONDS} s:\n{log.read_text()}")
        time.sleep(0.02)
    return ready[0].strip()


@pytest.fixture(scope="session")
def client(base_url: str) -> Iterator[OpenAI]:
    """A client of the server under test."""
    with OpenAI(base_url=base_url, api_key=API_KEY) as client:
        yield client


@pytest.fixture
async def async_client(base_url: str) -> AsyncIterator[AsyncOpenAI]:
    """The same for coroutines."""
    async with AsyncOpenAI(base_url=base_url, api_key=API_KEY) as client:
        yield client


@pytest.fixture(scope="session")
def model(client: OpenAI) -> str:
    """The model to ask: WHQ_EXAMPLE_MODEL, else the first that the server has."""
    return os.environ.get("WHQ_EXAMPLE_MODEL") or client.models.list().data[0].id
