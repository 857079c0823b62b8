"""LMDeploy's ``Response``, whole or in chunks that tell running totals."""

from pytest_whq.model import TokenCount
from pytest_whq.tokens.fields import count, token_count


def read(reply: object) -> TokenCount | None:
    """``input_token_len`` and ``generate_token_len``."""
    prompt = count(reply, "input_token_len")
    output = count(reply, "generate_token_len")
    return None if prompt is None or output is None else token_count(prompt, output)
