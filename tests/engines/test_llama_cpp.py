"""llama-cpp-python, on a model with random weights."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_gguf
from measured_project import MeasuredProject

pytestmark = [pytest.mark.engine, pytest.mark.once]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    llama_cpp = pytest.importorskip("llama_cpp")
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    tiny_gguf.write(path)
    return llama_cpp.Llama(str(path), n_ctx=tiny_gguf.CONTEXT, n_threads=1, seed=1, verbose=False)


@pytest.fixture
def engine(real_project: MeasuredProject, llama: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    found = SimpleNamespace(llama=llama, replies=[], project=real_project)
    monkeypatch.setitem(sys.modules, "engine", found)
    return found


def test_completions_and_chats_are_counted_as_the_engine_counts(engine: Any) -> None:
    engine.project.tests(
        """
        import engine

        def test_window(whq):
            with whq.measure() as window:
                engine.replies = [
                    window.record(engine.llama.create_completion("Hello there", max_tokens=8)),
                    window.record(
                        engine.llama.create_chat_completion([{"role": "user", "content": "hi"}], max_tokens=5)
                    ),
                ]
        """
    )
    engine.project.run().assert_outcomes(passed=1)
    record = engine.project.records["test_window"]
    usages = [reply["usage"] for reply in engine.replies]
    assert record["queries"] == 2
    assert record["input_tokens"] == sum(usage["prompt_tokens"] for usage in usages)
    assert record["output_tokens"] == sum(usage["completion_tokens"] for usage in usages)
    assert usages[0]["prompt_tokens"] == len(engine.llama.tokenize(b"Hello there"))


def test_repeated_calls_are_counted(engine: Any) -> None:
    engine.project.tests(
        """
        import engine

        def test_calls(whq):
            reply = whq(engine.llama.create_completion, "Hello there", max_tokens=8, temperature=0.0)
            engine.replies = [reply]
        """
    )
    engine.project.run().assert_outcomes(passed=1)
    record = engine.project.records["test_calls"]
    usage = engine.replies[0]["usage"]
    assert record["input_tokens"] == usage["prompt_tokens"] * record["queries"]
    assert record["output_tokens"] == usage["completion_tokens"] * record["queries"]


STREAM = """
    import engine

    def test_stream(whq):
        with whq.measure() as window:
            chunks = list(
                window.record(
                    engine.llama.create_completion("Hello there", max_tokens=8, temperature=0.0, stream=True),
                    input_tokens=17,
                )
            )
        engine.replies = ["".join(chunk["choices"][0]["text"] for chunk in chunks)]
"""


def test_a_stream_tells_no_tokens(engine: Any) -> None:
    engine.project.tests(STREAM)
    engine.project.run().assert_outcomes(passed=1)
    record = engine.project.records["test_stream"]
    assert (record["queries"], record["output_tokens"]) == (1, None)
    assert "tokens_missing" in record["reasons"]


def test_a_stream_is_counted_by_the_engines_own_tokenizer(engine: Any) -> None:
    engine.tokens = lambda text: engine.llama.tokenize(text.encode(), add_bos=False)
    engine.project.ini(whq_tokenizer="engine:tokens")
    engine.project.tests(STREAM)
    engine.project.run().assert_outcomes(passed=1)
    record = engine.project.records["test_stream"]
    assert (record["input_tokens"], record["tokenizer"]) == (17, "engine:tokens")
    assert record["output_tokens"] == len(engine.tokens(engine.replies[0]))
    assert Path(engine.llama.model_path).name == "tiny.gguf"
