"""``generate`` of transformers: it returns token ids alone, and only its call tells where the prompt ends."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import field

_OWN_ENDS = ("stop_strings", "stopping_criteria")


def reader_of(
    call: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
) -> Callable[[object], tuple[TokenCount, ...] | None] | None:
    """What reads the replies of ``call(*args, **kwargs)``; None where it is no decoder-only ``generate``.

    Those of encoder-decoder models begin with tokens that their configuration, and not the call, decides on.
    """
    if getattr(call, "__name__", None) != "generate":
        return None
    model: Any = getattr(call, "__self__", None)
    config = getattr(model, "generation_config", None)
    if config is None or getattr(getattr(model, "config", None), "is_encoder_decoder", None) is not False:
        return None
    prompts: Any = args[0] if args else kwargs.get("inputs", kwargs.get("input_ids"))
    skipped = 0 if prompts is None else prompts.shape[1]
    # Of embeddings in place of ids nothing comes back.
    prompts = kwargs.get("inputs_embeds") if prompts is None else prompts
    if prompts is None:
        return None
    given = _given(prompts, kwargs.get("attention_mask"))
    first = prompts[0].tolist() if skipped else []
    ends = None if any(kwargs.get(name) for name in _OWN_ENDS) else _ends(config, kwargs)
    return functools.partial(_read, given, first, ends)


def _read(
    given: Sequence[int], first: Sequence[int], ends: frozenset[int] | None, reply: object
) -> tuple[TokenCount, ...] | None:
    """One query for each prompt of ``given`` tokens; before what is new stands the prompt, the ``first`` one
    in the first row, or nothing where ``generate`` is another's that returns new tokens only.
    """
    sequences: Any = field(reply, "sequences") if isinstance(reply, Mapping) else reply
    shape: Any = getattr(sequences, "shape", ())
    if len(shape) != 2 or not shape[0] or shape[0] % len(given):
        return None
    skipped = len(first)
    if skipped and sequences[0][:skipped].tolist() != first:
        skipped = 0
    each = len(sequences) // len(given)
    lengths = _lengths(sequences, skipped, ends)
    return tuple(
        TokenCount(tokens, None if lengths is None else sum(lengths[n * each : (n + 1) * each]))
        for n, tokens in enumerate(given)
    )


def _given(prompts: Any, mask: Any) -> Sequence[int]:
    rows, width = prompts.shape[:2]
    return [width] * rows if mask is None else [int(sum(row)) for row in mask.tolist()]


def _lengths(sequences: Any, skipped: int, ends: frozenset[int] | None) -> Sequence[int] | None:
    """The tokens that each row was given, None where they cannot be told from padding."""
    if len(sequences) == 1:
        return [sequences.shape[1] - skipped]
    if ends is None:
        return None
    # What ends before the others is padded, most often with the token that ends it.
    return [_length(row, ends) for row in sequences[:, skipped:].tolist()]


def _length(row: Sequence[int], ends: frozenset[int]) -> int:
    return next((number for number, token in enumerate(row, start=1) if token in ends), len(row))


def _ends(config: object, kwargs: Mapping[str, object]) -> frozenset[int]:
    """The tokens that end a text, as ``generate`` looks for them: in its arguments first."""
    for holder in (kwargs, kwargs.get("generation_config"), config):
        found = None if holder is None else field(holder, "eos_token_id")
        if isinstance(found, int):
            return frozenset({found})
        if isinstance(found, (list, tuple)):
            return frozenset(found)
    return frozenset()
