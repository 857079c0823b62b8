"""Real engines with random weights: small enough for any CPU, and what they say of their tokens is real.

Their packages are loaded by session fixtures, before any inner pytest session: that unloads what it has
loaded, and extension modules bear to be loaded only once.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from measured_project import MeasuredProject

CHAT_SERVICE = Path(__file__).parent.parent / "example_project"
STARTUP_S = 60


@pytest.fixture
def real_project(project: MeasuredProject) -> MeasuredProject:
    """A project that measures a device of 360 W by the real clock, in few and short rounds."""
    project.use_real_time()
    project.ini(whq_rounds="3", whq_max_seconds="0.3")
    return project


@pytest.fixture(scope="session")
def chat_service() -> Iterator[str]:
    """The URL of the example project's server, for OpenAI's client."""
    for package in ("numpy", "openai"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "chat_service", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=CHAT_SERVICE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            yield f"{_url(server)}/v1"
        finally:
            server.terminate()


def _url(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    deadline_s = time.monotonic() + STARTUP_S
    while time.monotonic() < deadline_s and (line := server.stdout.readline()):
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("the example project's server did not start")


@pytest.fixture(scope="session")
def transformer() -> Any:
    """A Llama of transformers with 64 words, from ``w0`` to ``w63``, and its tokenizer as ``model.words``."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({f"w{n}": n for n in range(64)}, unk_token="w0"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=256,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    ).eval()
    model.words = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0")
    return model
