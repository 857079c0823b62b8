"""llama.cpp's server, in its own ``/completion`` and wherever else it puts its ``timings``."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, token_count


def read(reply: object) -> TokenCount | None:
    """``timings``: ``prompt_n`` were processed and ``cache_n`` reused, together they are the prompt.

    Servers before ``cache_n`` tell the whole prompt only as ``tokens_evaluated`` of ``/completion``;
    their ``prompt_n`` alone is not the input. ``tokens_cached`` is the length of the context when the
    reply was done and tells nothing of reuse, whatever its name.
    """
    timings = field(reply, "timings")
    fresh = count(timings, "prompt_n")
    cached = count(timings, "cache_n")
    prompt = count(reply, "tokens_evaluated") if fresh is None or cached is None else fresh + cached
    output = count(timings, "predicted_n")
    if output is None:
        output = count(reply, "tokens_predicted")
    return None if prompt is None and output is None else token_count(prompt, output, cached)
