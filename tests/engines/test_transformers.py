"""transformers' ``generate``, on a Llama with random weights."""

import sys
from pathlib import Path
from typing import Any

import pytest
from measured_project import MeasuredProject

pytestmark = [pytest.mark.engine, pytest.mark.once]

PROMPT = "w5 w6 w7 w8 w9"


@pytest.fixture
def project_of(real_project: MeasuredProject, transformer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project, whose tests find the model as the module ``engine``."""
    monkeypatch.setitem(sys.modules, "engine", _Engine(transformer))
    return real_project


class _Engine:
    def __init__(self, model: Any) -> None:
        self.model = model
        self.replies: list[Any] = []

    def ids(self, *prompts: str) -> Any:
        return self.model.words(list(prompts), return_tensors="pt", padding=True, padding_side="left")


def test_a_call_of_generate_tells_its_tokens(project_of: MeasuredProject) -> None:
    project_of.tests(
        f"""
        import engine

        def test_generate(whq):
            inputs = engine.ids({PROMPT!r})
            reply = whq(engine.model.generate, inputs.input_ids, max_new_tokens=12, do_sample=False)
            engine.replies = [reply]
        """
    )
    project_of.run().assert_outcomes(passed=1)
    import engine  # type: ignore[import-not-found]

    record = project_of.records["test_generate"]
    assert record["input_tokens"] == 5 * record["queries"]
    # Greedy, so that every call of the rounds writes the same.
    assert record["output_tokens"] == (engine.replies[0].shape[1] - 5) * record["queries"]
    assert record["reasons"] == [reason for reason in record["reasons"] if reason != "tokens_missing"]


@pytest.mark.parametrize("as_object", [False, True])
def test_a_batch_is_one_query_each_without_its_padding(project_of: MeasuredProject, as_object: bool) -> None:
    project_of.tests(
        f"""
        import engine, torch

        def test_batch(whq):
            torch.manual_seed(1)
            inputs = engine.ids("w5 w6", {PROMPT!r}, "w9")
            generate = whq.wrap(engine.model.generate)
            with whq.measure():
                reply = generate(
                    **inputs, max_new_tokens=60, do_sample=True, temperature=5.0,
                    return_dict_in_generate={as_object},
                )
            engine.replies = [reply.sequences if {as_object} else reply]
        """
    )
    project_of.run().assert_outcomes(passed=1)
    import engine

    written = [row[5:].tolist() for row in engine.replies[0]]
    lengths = [row.index(2) + 1 if 2 in row else len(row) for row in written]
    assert len(set(lengths)) > 1
    record = project_of.records["test_batch"]
    assert (record["queries"], record["input_tokens"]) == (3, 2 + 5 + 1)
    assert record["output_tokens"] == sum(lengths)


def test_a_load_of_generate_tells_its_tokens(project_of: MeasuredProject) -> None:
    project_of.tests(
        """
        import functools
        import engine

        def test_load(whq):
            prompts = [engine.ids(f"w{n} w5").input_ids for n in range(10, 20)]
            call = functools.partial(engine.model.generate, max_new_tokens=12)
            engine.replies = whq.load(call, prompts, concurrency=1)
        """
    )
    project_of.run().assert_outcomes(passed=1)
    import engine

    record = project_of.records["test_load"]
    assert (record["queries"], record["input_tokens"]) == (10, 20)
    assert record["output_tokens"] == sum(reply.shape[1] - 2 for reply in engine.replies)


def test_a_streamer_is_counted_by_the_tokenizer_of_the_model(
    project_of: MeasuredProject, transformer: Any
) -> None:
    transformer.words.backend_tokenizer.save(str(Path(project_of.path) / "tokenizer.json"))
    project_of.ini(whq_tokenizer="tokenizer.json", whq_rounds="3", whq_max_seconds="0.3")
    project_of.tests(
        f"""
        import threading
        import engine, transformers

        def stream(whq_kwargs=None):
            inputs = engine.ids({PROMPT!r})
            streamer = transformers.TextIteratorStreamer(engine.model.words, skip_prompt=True)
            arguments = dict(**inputs, max_new_tokens=12, do_sample=False, streamer=streamer)
            threading.Thread(target=engine.model.generate, kwargs=arguments, daemon=True).start()
            return streamer

        def test_stream(whq):
            with whq.measure() as window:
                text = "".join(window.record(stream(), input_tokens=5))
            assert text.startswith("w")
            engine.replies = [text]
        """
    )
    project_of.run().assert_outcomes(passed=1)
    import engine

    record = project_of.records["test_stream"]
    assert (record["input_tokens"], record["output_tokens"]) == (5, len(engine.replies[0].split()))
    assert record["tokenizer"] == "tokenizer.json"
    assert record["distributions"]["ttft_s"]["count"] == 1
