"""Replies that are text, counted by the tokenizer that the user names."""

import pytest
from measured_project import MeasuredProject, run_with

TEXTS = """
import pytest

class Texts:
    def text(self, prompt):
        SOURCE.call(1.0, 360.0)
        return "one two three"

    def stream(self, prompt):
        for piece in ("one two ", "three four"):
            SOURCE.call(0.5, 360.0)
            yield piece

    def chunks(self, prompt):
        for delta in ({"role": "assistant"}, {"content": "one two "}, {"content": "three"}, {}):
            SOURCE.call(0.25, 360.0)
            yield {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}

    def tools(self, prompt):
        yield from self.chunks(prompt)
        delta = {"tool_calls": [{"function": {"arguments": "{}"}}]}
        yield {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}

    def lines(self, prompt):
        SOURCE.call(1.0, 360.0)
        yield 'data: {"choices": [{"delta": {"content": "one two"}}]}'

@pytest.fixture
def texts():
    return Texts()
"""
NOTE = (
    "the output tokens of 1 of 1 queries, whose replies are text, were counted with words:count: "
    "what the server counted may differ"
)
ONE = """
    def test_text(whq, texts):
        with whq.measure() as window:
            window.record(texts.text("Say hi."){told})
"""


@pytest.fixture
def texting(project: MeasuredProject) -> MeasuredProject:
    project.conftest(TEXTS)
    project.pytester.makepyfile(words="def count(text):\n    return text.split()")
    return project


def test_a_text_is_counted_and_marked(texting: MeasuredProject, given: str) -> None:
    texting.tests(ONE.format(told=", input_tokens=7"))
    run_with(texting, given, whq_tokenizer="words:count").assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert (record["input_tokens"], record["output_tokens"], record["reasons"]) == (7, 3, [])
    assert (record["tokenizer"], record["notes"]) == ("words:count", [NOTE])


def test_what_the_output_took_stands_where_the_input_is_not_known(texting: MeasuredProject) -> None:
    texting.ini(whq_tokenizer="words:count", whq_max="j_per_output_token=121")
    texting.tests(ONE.format(told=""))
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert (record["input_tokens"], record["output_tokens"]) == (None, 3)
    assert record["metrics"]["j_per_output_token"] == pytest.approx(120, rel=2e-3)
    assert record["budgets"][0]["outcome"] == "within"
    assert record["why"] == {
        "tokens_missing": "text does not tell its input tokens: give them, as in "
        "window.record(reply, input_tokens=...)"
    }
    texting.ini(whq_tokenizer="words:count", whq_max="j_per_token=121")
    texting.run().assert_outcomes(failed=1)


def test_without_a_tokenizer_a_text_tells_nothing(texting: MeasuredProject) -> None:
    texting.tests(ONE.format(told=""))
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert record["output_tokens"] is None
    assert "tokenizer" not in record
    assert record["why"]["tokens_missing"] == (
        "nobody can read tokens from a reply of type builtins.str: pass input_tokens and output_tokens to "
        "window.record, name a tokenizer with whq_tokenizer, or write the hook pytest_whq_read_tokens(reply)."
    )


@pytest.mark.parametrize(
    ("body", "queries", "output"),
    [
        ("list(window.record(texts.stream('Say hi.')))", 1, 4),
        ("list(window.record(texts.stream('Say hi.'), input_tokens=2))", 1, 4),
        ("list(window.record(texts.stream('Say hi.'), output_tokens=9))", 1, 9),
        ("window.record([texts.text('Say hi.'), 'four five'])", 2, 5),
        ("window.record(texts.text('Say hi.'), output_tokens=9)", 1, 9),
        ("list(whq.wrap(texts.stream)('Say hi.'))", 1, 4),
        ("list(window.record(texts.chunks('Say hi.')))", 1, 3),
        ("list(window.record(texts.tools('Say hi.')))", 1, None),
        ("list(window.record(texts.lines('Say hi.')))", 1, None),
    ],
)
def test_streams_lists_and_wrapped_functions_are_counted(
    texting: MeasuredProject, body: str, queries: int, output: int | None
) -> None:
    texting.ini(whq_tokenizer="words:count")
    texting.tests(f"def test_text(whq, texts):\n    with whq.measure() as window:\n        {body}")
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert (record["queries"], record["output_tokens"]) == (queries, output)


@pytest.mark.parametrize("call", ["whq(texts.text, 'hi')", "whq.load(texts.text, ['hi'] * 3, concurrency=1)"])
def test_calls_and_loads_are_counted(texting: MeasuredProject, call: str) -> None:
    texting.ini(whq_tokenizer="words:count")
    texting.tests(f"def test_text(whq, texts):\n    {call}")
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert record["output_tokens"] == 3 * record["queries"]


def test_drained_streams_are_counted_as_one_text(texting: MeasuredProject) -> None:
    texting.ini(whq_tokenizer="words:count")
    texting.tests("def test_text(whq, texts):\n    assert len(whq(texts.stream, 'hi')) == 2")
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_text"]
    assert record["output_tokens"] == 4 * record["queries"]


def test_what_the_reply_tells_goes_before_any_tokenizer(texting: MeasuredProject) -> None:
    texting.ini(whq_tokenizer="words:count")
    texting.tests("def test_chat(whq, client):\n    whq(client.chat, 'hi')")
    texting.run().assert_outcomes(passed=1)
    record = texting.records["test_chat"]
    assert record["output_tokens"] == 50 * record["queries"]
    assert "tokenizer" not in record


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("option", "ERROR: --whq-tokenizer cannot be 'nowhere:count': there is no module nowhere. *"),
        (
            "ini",
            "ERROR: whq_tokenizer in pytest.ini cannot be 'nowhere:count': there is no module nowhere. *",
        ),
    ],
)
def test_one_that_cannot_be_used_is_refused_before_any_test(
    texting: MeasuredProject, how: str, sentence: str
) -> None:
    texting.tests(ONE.format(told=""))
    result = run_with(texting, how, whq_tokenizer="nowhere:count")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence])


def test_one_that_fails_fails_the_test_in_one_sentence(texting: MeasuredProject) -> None:
    texting.pytester.makepyfile(broken="def count(text):\n    raise OSError('no vocabulary')")
    texting.ini(whq_tokenizer="broken:count")
    texting.tests(ONE.format(told=""))
    result = texting.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*WhqError: the tokenizer broken:count failed: OSError('no vocabulary')."])
