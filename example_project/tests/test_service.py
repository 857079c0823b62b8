"""The service itself: what it answers, whatever that costs."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import numpy as np
import openai
import pytest
from chat_service.backend import numpy_backend
from chat_service.chat_request import RequestError, read_request
from chat_service.engine import Engine
from chat_service.model import END, FIRST, Cache, Shape, Transformer
from chat_service.server import ChatServer

SHAPE = Shape("chat-tiny", layers=2, heads=2, width=32, context=256)
MESSAGES: Any = [{"role": "user", "content": "Grüß dich!"}]
PROMPT = "user: Grüß dich!\nassistant: ".encode()


class ScriptedModel(Transformer):
    """Writes ``script`` again and again, fails at a ``!`` in it, and notes how many texts each step had."""

    def __init__(self, script: str) -> None:
        super().__init__(SHAPE, numpy_backend(seed=0))
        self.script = script
        self.steps: list[int] = []

    def forward(self, batch: Sequence[tuple[Sequence[int], Cache]]) -> Any:
        token = self.script[len(self.steps) % len(self.script)]
        self.steps.append(len(batch))
        if token == "!":
            raise ArithmeticError("out of memory")
        for tokens, cache in batch:
            cache.length += len(tokens)
        return np.eye(END - FIRST + 1)[[ord(token) - FIRST] * len(batch)]


@pytest.fixture(scope="session")
def model() -> Transformer:
    return Transformer(SHAPE, numpy_backend(seed=7))


@contextmanager
def serving(model: Transformer, *, kv_cache: bool = True) -> Iterator[openai.OpenAI]:
    """A client of a server in this process."""
    with ChatServer("127.0.0.1", 0, Engine(model, kv_cache=kv_cache)) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            yield client
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client(model: Transformer) -> Iterator[openai.OpenAI]:
    with serving(model) as client:
        yield client


def complete(client: openai.OpenAI, max_tokens: int = 8, **options: Any) -> Any:
    return client.chat.completions.create(
        model=SHAPE.name, messages=MESSAGES, max_tokens=max_tokens, **options
    )


def test_the_model_reads_a_text_in_pieces_as_it_reads_it_whole(model: Transformer) -> None:
    in_pieces, whole = model.new_cache(64), model.new_cache(64)
    model.forward([(PROMPT[:5], in_pieces)])
    model.forward([(PROMPT[5:9], in_pieces)])
    pieces_logits = model.forward([(PROMPT[9:], in_pieces)])
    assert in_pieces.length == len(PROMPT)
    np.testing.assert_allclose(pieces_logits, model.forward([(PROMPT, whole)]), atol=1e-4)


def test_texts_read_together_do_not_see_each_other(model: Transformer) -> None:
    texts = [PROMPT, b"a", b"user: Something else\n"]
    together = model.forward([(text, model.new_cache(64)) for text in texts])
    alone = [model.forward([(text, model.new_cache(64))])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_cache_changes_the_cost_and_not_the_text(model: Transformer, client: openai.OpenAI) -> None:
    with serving(model, kv_cache=False) as uncached:
        text = complete(uncached, max_tokens=32).choices[0].message.content
    assert complete(client, max_tokens=32).choices[0].message.content == text
    assert len(text) == 32


def test_usage_counts_the_bytes_read_and_the_tokens_written(client: openai.OpenAI) -> None:
    reply = complete(client, max_tokens=8)
    assert reply.choices[0].finish_reason == "length"
    assert len(reply.choices[0].message.content) == 8
    assert reply.usage.to_dict() == {
        "prompt_tokens": len(PROMPT),
        "completion_tokens": 8,
        "total_tokens": len(PROMPT) + 8,
    }


def test_a_stream_says_the_same_as_a_whole_reply(client: openai.OpenAI) -> None:
    whole = complete(client)
    *chunks, last = complete(client, stream=True, stream_options={"include_usage": True})
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    )
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 9 + ["length"]
    assert (last.choices, last.usage) == ([], whole.usage)


def test_a_stream_tells_its_usage_only_when_asked(client: openai.OpenAI) -> None:
    assert [chunk.usage for chunk in complete(client, stream=True)] == [None] * 10


def test_a_text_ends_at_its_end_token_which_counts() -> None:
    with serving(ScriptedModel(f"Hi{chr(END)}")) as client:
        reply = complete(client)
        *_, finish, last = complete(client, stream=True, stream_options={"include_usage": True})
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("Hi", "stop")
    assert finish.choices[0].finish_reason == "stop"
    assert reply.usage.completion_tokens == last.usage.completion_tokens == 3


def test_chance_repeats_with_its_seed(client: openai.OpenAI) -> None:
    first, same, other = (
        complete(client, temperature=1.5, seed=seed).choices[0].message.content for seed in (1, 1, 2)
    )
    assert first == same != other


@pytest.mark.parametrize(
    ("changes", "status", "param", "code"),
    [
        ({"model": "gpt-0"}, 404, "model", "model_not_found"),
        ({"messages": []}, 400, "messages", None),
        ({"messages": [{"role": "user"}]}, 400, "messages[0]", None),
        ({"max_tokens": 0}, 400, "max_tokens", None),
        ({"max_tokens": 1.5}, 400, "max_tokens", None),
        ({"max_tokens": SHAPE.context}, 400, "messages", "context_length_exceeded"),
        ({"temperature": 3}, 400, "temperature", None),
        ({"n": 2}, 400, "n", None),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    client: openai.OpenAI, changes: dict[str, Any], status: int, param: str, code: str | None
) -> None:
    request: dict[str, Any] = {"model": SHAPE.name, "messages": MESSAGES, **changes}
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**request)
    error = caught.value
    assert (error.status_code, error.type) == (status, "invalid_request_error")
    assert (error.param, error.code) == (param, code)


@pytest.mark.parametrize(("body", "what"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_a_body_that_is_no_json_object_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(RequestError, match=what):
        read_request(body, SHAPE)


def test_an_unknown_url_is_told_apart_from_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="There is no POST /v1/embeddings") as caught:
        client.embeddings.create(model=SHAPE.name, input="")
    assert caught.value.code == "unknown_url"


def test_the_server_tells_its_model_and_that_it_is_well(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["chat-tiny"]
    with urlopen(urljoin(str(client.base_url), "/health")) as reply:
        assert json.load(reply) == {"status": "ok"}


def test_a_model_that_fails_once_answers_the_next_request() -> None:
    with serving(ScriptedModel("a!b!c")) as client:
        with pytest.raises(openai.InternalServerError, match="The model failed: out of memory"):
            complete(client, max_tokens=2)
        with pytest.raises(openai.APIError, match="The model failed: out of memory"):
            list(complete(client, max_tokens=2, stream=True))
        assert complete(client, max_tokens=2).choices[0].message.content == "ca"


def test_a_text_that_nobody_waits_for_is_written_no_further() -> None:
    model = ScriptedModel("a")
    engine = Engine(model)
    left = engine.generate(PROMPT, 200)
    next(left)
    left.close()
    assert len(list(engine.generate(PROMPT, 10))) == 10
    assert model.steps[-9:] == [1] * 9


def test_sigterm_ends_the_server_well() -> None:
    command = [sys.executable, "-m", "chat_service", "--port", "0"]
    project = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "with a KV cache, at http://127.0.0.1:" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
