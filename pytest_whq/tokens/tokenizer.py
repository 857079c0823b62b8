"""The tokenizer that a user names, for replies that are text and so tell no count themselves."""

import importlib
import operator
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_whq.errors import SettingError, WhqError, described

_FORMS = (
    "a tokenizer.json of the tokenizers library, a .tiktoken file, "
    "or module:function that takes a text and returns its tokens or their number"
)


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Counts the tokens of a text; ``name`` is what a report calls it."""

    name: str
    tokens_of: Callable[[str], Any]

    def count(self, text: str) -> int:
        """How many tokens ``text`` has; WhqError where the tokenizer fails or gives no count."""
        try:
            found = self.tokens_of(text)
        except Exception as error:
            raise WhqError(f"the tokenizer {self.name} failed: {described(error)}.") from error
        if isinstance(found, Mapping):  # as transformers' tokenizers return when called
            found = found.get("input_ids")
        found = getattr(found, "ids", found)
        number = _number(found)
        if number is None or number < 0:
            raise WhqError(
                f"the tokenizer {self.name} must return tokens or their number, not {type(found).__name__}."
            )
        return number


def load_tokenizer(named: str, folder: Path) -> Tokenizer:
    """The tokenizer that ``named`` means, a path being relative to ``folder``.

    Raises SettingError, whose sentence goes on after the name of the setting.
    """
    path = folder / named
    if path.is_file():
        load = _LOADERS.get(path.suffix)
        if load is None:
            raise SettingError(f"cannot be {named!r}: it must be {_FORMS}.")
        return _loaded(named, path.name, lambda: load(path))
    module, colon, attribute = named.partition(":")
    if not colon or "/" in named or not attribute:
        raise SettingError(f"cannot be {named!r}: there is no such file. It must be {_FORMS}.")
    return _loaded(named, named, lambda: _function(module, attribute))


def _loaded(named: str, name: str, load: Callable[[], Callable[[str], Any]]) -> Tokenizer:
    try:
        return Tokenizer(name, load())
    except ModuleNotFoundError as error:
        raise SettingError(
            f"cannot be {named!r}: there is no module {error.name}. Install it, or check the name."
        ) from error
    except Exception as error:
        raise SettingError(f"cannot be {named!r}: {error}.") from error


def _function(module: str, attribute: str) -> Callable[[str], Any]:
    found: Any = importlib.import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    if not callable(found):
        raise TypeError(f"it is no function but a {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _from_tokenizers(path: Path) -> Callable[[str], Any]:
    tokenizers: Any = importlib.import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    # A reply holds what the model wrote, not the tokens that stand around a prompt.
    return lambda text: tokenizer.encode(text, add_special_tokens=False)


def _from_tiktoken(path: Path) -> Callable[[str], Any]:
    tiktoken: Any = importlib.import_module("tiktoken")
    pattern = _TIKTOKEN_PATTERNS.get(path.stem)
    if pattern is None:
        known = ", ".join(f"{name}.tiktoken" for name in _TIKTOKEN_PATTERNS)
        raise ValueError(
            f"such a file does not tell how text is split, so its name must: {known}. "
            "For another, name a function"
        )
    # Not by tiktoken's own loader, which keeps a copy and never looks at the file again.
    ranks = {b64decode(token): int(rank) for token, rank in map(bytes.split, path.read_bytes().splitlines())}
    encoding = tiktoken.Encoding(path.stem, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return encoding.encode_ordinary  # type: ignore[no-any-return]


_LOADERS: Mapping[str, Callable[[Path], Callable[[str], Any]]] = {
    ".json": _from_tokenizers,
    ".tiktoken": _from_tiktoken,
}

_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_TIKTOKEN_PATTERNS = {
    "o200k_base": (
        rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{_ENDINGS}?"
        rf"|[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{_ENDINGS}?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "cl100k_base": (
        rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "p50k_base": _GPT2,
    "r50k_base": _GPT2,
}
"""How encodings split text before they look for tokens (OpenAI's ``tiktoken_ext.openai_public``)."""


def _number(found: Any) -> int | None:
    """The number that a tokenizer returned, or how many tokens it did; None for anything else."""
    for number_of in (operator.index, len):
        with suppress(TypeError):
            return None if isinstance(found, bool) else number_of(found)
    return None
