"""KoboldCpp's own ``/api/v1/generate``."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, token_count


def read(reply: object) -> TokenCount | None:
    """The counts of its ``results``, which are samples of one prompt."""
    results = field(reply, "results")
    if not isinstance(results, list) or not results:
        return None
    outputs = [count(result, "completion_tokens") for result in results]
    prompt = count(results[0], "prompt_tokens")
    if prompt is None and outputs == [None] * len(outputs):
        return None
    return token_count(prompt, None if None in outputs else sum(filter(None, outputs)))
