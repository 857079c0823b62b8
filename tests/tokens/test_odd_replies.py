"""Replies that nobody can read, and the sentence for them."""

import subprocess
import sys
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from pytest_whq.model import TokenCount
from pytest_whq.tokens import StreamTokens, read_queries, read_tokens, unreadable


class Raising:
    """Every attribute raises, but for the one that pytest asks for."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Raising
        raise RuntimeError(name)


class Unbound:
    """Even its class raises, as in an unbound proxy."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("working outside of context")


class RaisingUsage:
    """One attribute raises; what others tell is still read."""

    meta_info = {"prompt_tokens": 3, "completion_tokens": 4}  # noqa: RUF012

    @property
    def usage(self) -> Any:
        raise ValueError("not now")


class Obliging:
    """Every attribute is a number, and no whole one."""

    def __getattr__(self, name: str) -> float:
        return 1.5


class Endless:
    """Every attribute is the object itself."""

    def __getattr__(self, name: str) -> "Endless":
        return self


class Tensor:
    """Token ids alone, as ``generate`` of transformers returns them: the prompt is in them."""

    shape = (1, 20)

    def tolist(self) -> list[list[int]]:
        return [list(range(20))]

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise RuntimeError("ambiguous")


class GenerateOutput(OrderedDict[str, Any]):
    """transformers' ``GenerateDecoderOnlyOutput``: a dict with attributes."""


cyclic_dict: dict[str, Any] = {}
cyclic_dict.update(usage=cyclic_dict, meta_info=cyclic_dict, timings=cyclic_dict, generations=[[cyclic_dict]])
cyclic_list: list[Any] = []
cyclic_list.append(cyclic_list)

ODD: dict[str, Any] = {
    "none": None,
    "int": 5,
    "bool": True,
    "nan": float("nan"),
    "object": object(),
    "type": dict,
    "function": len,
    "mock": Mock(),
    "magic mock": MagicMock(),
    "async mock": AsyncMock(),
    "raising": Raising(),
    "obliging": Obliging(),
    "endless": Endless(),
    "cyclic dict": cyclic_dict,
    "cyclic list": cyclic_list,
    "empty dict": {},
    "empty list": [],
    "empty tuple": (),
    "list of nothing": [None],
    "list of ints": list(range(100_000)),
    "list of texts": ["a", "b"],
    "list of mocks": [MagicMock()],
    "list of raising": [Raising()],
    "negative counts": {"usage": {"prompt_tokens": -1, "completion_tokens": -2}},
    "nan counts": {"usage": {"prompt_tokens": float("nan"), "completion_tokens": float("inf")}},
    "parts of tokens": {"usage": {"prompt_tokens": 3.5, "completion_tokens": 4.5}},
    "counts that no query has": {"usage": {"prompt_tokens": 2**63, "completion_tokens": 1e30}},
    "bool counts": {"usage": {"prompt_tokens": True, "completion_tokens": False}},
    "string counts": {"usage": {"prompt_tokens": "3", "completion_tokens": "4"}},
    "usage is a list": {"usage": [1, 2]},
    "usage is text": {"usage": "3 tokens"},
    "list counts": {"object": [], "usage": {"prompt_tokens": [], "completion_tokens": {}}},
    "text instead of ids": {"prompt_token_ids": "abc", "outputs": [{"token_ids": "abc"}]},
    "a part readable": [{"eval_count": 1}, "text"],
    "generations of text": SimpleNamespace(generations=["a"]),
    "token ids": Tensor(),
    "generate output": GenerateOutput(sequences=Tensor(), scores=None),
}


@pytest.mark.parametrize("reply", ODD.values(), ids=ODD)
def test_nobody_reads_an_odd_reply_and_nothing_is_raised(reply: object) -> None:
    assert read_tokens(reply) is None
    assert read_queries(reply) is None


@pytest.mark.parametrize("chunk", ODD.values(), ids=ODD)
def test_an_odd_chunk_tells_nothing_and_raises_nothing(chunk: object) -> None:
    stream = StreamTokens()
    stream.add(chunk)
    assert stream.count() is None


def test_whole_floats_are_counts() -> None:
    assert read_tokens({"usage": {"prompt_tokens": 3.0, "completion_tokens": 4.0}}) == TokenCount(3, 4)


def test_an_unbound_proxy_is_not_read() -> None:
    reply = Unbound()
    stream = StreamTokens()
    stream.add(reply)
    assert stream.count() is None
    assert read_tokens(reply) is None
    assert read_queries([reply]) is None
    assert f"of type {__name__}.Unbound: pass" in unreadable(reply)


def test_an_attribute_that_raises_leaves_the_other_readers_their_chance() -> None:
    assert read_tokens(RaisingUsage()) == TokenCount(3, 4)


def test_numpy_token_ids_alone_are_not_read() -> None:
    numpy = pytest.importorskip("numpy")
    assert read_tokens(numpy.zeros((1, 20), dtype=int)) is None


def test_the_sentence_names_the_type_and_the_ways_out() -> None:
    assert unreadable("Hi.") == (
        "nobody can read tokens from a reply of type builtins.str: pass input_tokens and output_tokens "
        "to window.record, name a tokenizer with whq_tokenizer, or write the hook "
        "pytest_whq_read_tokens(reply)."
    )
    assert "of type collections.OrderedDict: pass" in unreadable(OrderedDict())
    assert "of type builtins.NoneType: pass" in unreadable(None)


def test_the_sentence_names_what_a_list_holds() -> None:
    assert "of type builtins.list of builtins.str: pass" in unreadable(["a", "b"])
    assert "of type builtins.list: pass" in unreadable([])


def test_no_clients_package_is_imported_to_read_replies() -> None:
    code = (
        "import sys, pytest_whq.tokens as tokens\n"
        "tokens.read_tokens({'usage': {'prompt_tokens': 1}})\n"
        "tokens.read_tokens(object())\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set(sys.argv[1:])))"
    )
    clients = ["openai", "anthropic", "google", "ollama", "langchain_core", "litellm"]
    others = ["pydantic", "httpx", "requests", "numpy", "torch", "vllm", "pytest"]
    done = subprocess.run(
        [sys.executable, "-c", code, *clients, *others], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
