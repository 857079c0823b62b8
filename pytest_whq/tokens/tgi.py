"""Hugging Face's Text Generation Inference: ``/generate`` and ``/generate_stream``."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, field, length, token_count


def read(reply: object) -> TokenCount | None:
    """``details``, there where the request asked for them; the last chunk of a stream has them.

    The input is told as ``input_length`` in streams, and by ``prefill`` where ``decoder_input_details``
    asked for it: an empty ``prefill`` was not asked for. Rivals of ``best_of`` were generated too.
    """
    details = field(reply, "details")
    output = count(details, "generated_tokens")
    if output is None:
        return None
    prompt = count(details, "input_length")
    if prompt is None:
        prompt = length(field(details, "prefill")) or None
    rivals = field(details, "best_of_sequences")
    if isinstance(rivals, list):
        output += sum(count(rival, "generated_tokens") or 0 for rival in rivals)
    return token_count(prompt, output)
