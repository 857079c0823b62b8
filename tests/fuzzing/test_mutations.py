"""Documents from outside are refused with a sentence, or go through every output."""

from dataclasses import astuple

import pytest
from exercise import KINDS, exercise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import KINDS_OF_FILES, take_through

from pytest_whq.rendering.words import one_line
from pytest_whq.tokens import Failed, read_queries, unreadable

PROPERTY = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
"""The same examples each time: what is random runs in ``nox -s fuzz``."""

TOKEN_FIELDS = st.sampled_from(
    (
        *("usage", "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"),
        *("total_tokens", "usageMetadata", "promptTokenCount", "candidatesTokenCount", "usage_metadata"),
        *("timings", "prompt_n", "predicted_n", "meta_info", "choices"),
        *("prompt_eval_count", "eval_count", "details", "generated_tokens", "prompt_token_ids"),
        *("outputs", "token_ids", "object", "error", "code", "type"),
    )
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4)


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS_OF_FILES)
def test_changed_files_are_refused_or_go_through_every_output(kind: str) -> None:
    assert take_through(kind, 150, seed=1) > 15


@PROPERTY
@given(data=st.binary(max_size=200), kind=st.sampled_from(sorted(KINDS)))
def test_any_bytes_are_refused_or_read(data: bytes, kind: str) -> None:
    exercise(kind, data)


@pytest.mark.once
@PROPERTY
@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TOKEN_FIELDS, inner, max_size=5),
        max_leaves=12,
    )
)
def test_any_reply_has_counts_or_a_sentence(reply: object) -> None:
    for count in read_queries(reply) or ():
        if isinstance(count, Failed):
            assert count.kind.isprintable()
            continue
        assert all(number is None or (type(number) is int and number >= 0) for number in astuple(count))
    assert unreadable(reply).isprintable()


KEYS = st.sampled_from(
    ("budgets", "tests", "hardware", "wh_per_query", "max_regression", "max_failed", "estimate")
)
VALUES = st.sampled_from(
    ("1", "0.0", "-1", "1e300", "nan", "inf", "'5%'", "'a'", "true", "[]", "{}", "'\\n'", "9" * 400)
)


@PROPERTY
@given(
    st.lists(st.tuples(KEYS, VALUES), max_size=4),
    st.sampled_from(("[[budgets]]", "[[tool.whq.budgets]]", "")),
)
def test_any_budgets_are_refused_or_read(entries: list[tuple[str, str]], head: str) -> None:
    lines = [head, *(f"{key} = {value}" for key, value in entries)]
    exercise("budget file", "\n".join(lines).encode())


@PROPERTY
@given(st.text())
def test_any_text_is_printable_where_it_leaves(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert one_line(shown) == shown
