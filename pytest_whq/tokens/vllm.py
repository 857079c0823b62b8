"""vLLM's ``RequestOutput``, whose token ids are themselves the count; TensorRT-LLM's is the same."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import NOT_TOLD, count, field, length, token_count


def read(reply: object) -> TokenCount | None:
    """The length of ``prompt_token_ids``, and of the token ids of all ``outputs`` together.

    A ``BeamSearchOutput`` holds prompt and beam in one list each, and does not tell where one ends.
    """
    beams = field(reply, "sequences")
    if isinstance(beams, list) and beams and length(field(beams[0], "tokens")) is not None:
        return NOT_TOLD
    prompt = length(field(reply, "prompt_token_ids"))
    outputs = field(reply, "outputs")
    generated = None
    if isinstance(outputs, (list, tuple)) and outputs:
        lengths = [length(field(output, "token_ids")) for output in outputs]
        generated = sum(n for n in lengths if n is not None) if None not in lengths else None
    if prompt is None and generated is None:
        return None
    return token_count(prompt, generated, count(reply, "num_cached_tokens"))


def is_output(reply: object) -> bool:
    """Whether ``reply`` is a ``RequestOutput``; an asynchronous engine yields one for each step."""
    return isinstance(field(reply, "finished"), bool) and isinstance(field(reply, "outputs"), (list, tuple))
