"""The tokenizer that a user names: files of the two libraries, functions, and what cannot be used."""

import json
import sys
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_whq.errors import SettingError, WhqError
from pytest_whq.tokens.tokenizer import load_tokenizer

FORMS = (
    "a tokenizer.json of the tokenizers library, a .tiktoken file, "
    "or module:function that takes a text and returns its tokens or their number"
)


def words(text: str) -> list[str]:
    return text.split()


class Index:
    """A whole number of another kind, as numpy has."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


class Encoding:
    def __init__(self, text: str) -> None:
        self.ids = text.split()


@pytest.mark.parametrize(
    "tokens_of",
    [
        words,
        lambda text: len(text.split()),
        lambda text: Index(len(text.split())),
        Encoding,
        lambda text: {"input_ids": text.split(), "attention_mask": [1]},
    ],
)
def test_a_function_returns_tokens_or_their_number(tokens_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(inner=SimpleNamespace(count=tokens_of)))
    tokenizer = load_tokenizer("mine:inner.count", Path())
    assert (tokenizer.name, tokenizer.count("Name a colour."), tokenizer.count("")) == (
        *("mine:inner.count", 3),
        0,
    )


@pytest.mark.parametrize("wrong", [None, -1, True, 2.5, {"ids": 1}])
def test_a_function_that_gives_no_count_is_named(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(count=lambda text: wrong))
    with pytest.raises(WhqError, match=r"^the tokenizer mine:count must return tokens or their number, not "):
        load_tokenizer("mine:count", Path()).count("hi")


def test_a_function_that_raises_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(count=lambda text: 1 / 0))
    with pytest.raises(WhqError) as raised:
        load_tokenizer("mine:count", Path()).count("hi")
    assert str(raised.value) == "the tokenizer mine:count failed: ZeroDivisionError('division by zero')."


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("missing.json", f"cannot be 'missing.json': there is no such file. It must be {FORMS}."),
        ("notes.txt", f"cannot be 'notes.txt': it must be {FORMS}."),
        (
            "nowhere:count",
            "cannot be 'nowhere:count': there is no module nowhere. Install it, or check the name.",
        ),
        ("json:nothing", "cannot be 'json:nothing': module 'json' has no attribute 'nothing'."),
        ("sys:path", "cannot be 'sys:path': it is no function but a list."),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, named: str, sentence: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SettingError) as refused:
        load_tokenizer(named, tmp_path)
    assert str(refused.value) == sentence


def test_a_file_of_tokenizers_is_counted_without_what_stands_around_a_prompt(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: number for number, word in enumerate(("[UNK]", "[CLS]", "name", "a", "colour"))}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 1)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer("tokenizer.json", tmp_path)
    assert (loaded.name, loaded.count("name a colour!")) == ("tokenizer.json", 4)


def test_a_broken_file_of_tokenizers_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": None}))
    with pytest.raises(SettingError, match=r"^cannot be 'tokenizer.json': "):
        load_tokenizer("tokenizer.json", tmp_path)


def ranks(path: Path, *merged: bytes) -> None:
    """A tiktoken file of all bytes and the tokens ``merged`` from them."""
    tokens = [*(bytes([number]) for number in range(256)), *merged]
    path.write_bytes(b"".join(b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens)))


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"])
def test_a_file_of_tiktoken_is_split_as_its_name_says(tmp_path: Path, name: str) -> None:
    pytest.importorskip("tiktoken")
    ranks(tmp_path / f"{name}.tiktoken", b"hi", b" th", b"er", b" ther", b" there")
    loaded = load_tokenizer(f"{name}.tiktoken", tmp_path)
    # Splits before the full stop, so that "hi", " there" and "." are tokens each.
    assert (loaded.name, loaded.count("hi there.")) == (f"{name}.tiktoken", 3)
    ranks(tmp_path / f"{name}.tiktoken", b"hi")
    assert load_tokenizer(f"{name}.tiktoken", tmp_path).count("hi there.") == 8


def test_the_name_decides_how_figures_are_split(tmp_path: Path) -> None:
    pytest.importorskip("tiktoken")
    for name in ("cl100k_base", "r50k_base"):
        ranks(tmp_path / f"{name}.tiktoken", b"12", b"123", b"34", b"1234")
    assert load_tokenizer("cl100k_base.tiktoken", tmp_path).count("1234") == 2
    assert load_tokenizer("r50k_base.tiktoken", tmp_path).count("1234") == 1


def test_a_file_of_tiktoken_with_another_name_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tiktoken")
    ranks(tmp_path / "mine.tiktoken")
    with pytest.raises(SettingError) as refused:
        load_tokenizer("mine.tiktoken", tmp_path)
    assert str(refused.value) == (
        "cannot be 'mine.tiktoken': such a file does not tell how text is split, so its name must: "
        "o200k_base.tiktoken, cl100k_base.tiktoken, p50k_base.tiktoken, r50k_base.tiktoken. "
        "For another, name a function."
    )
