"""A server of streams that a load is measured against: it paces its tokens, counts them and keeps a log.

Run as a program it prints its port, then for each query a line of JSON once that is answered: its number,
the tokens it counted, and the seconds from the query's arrival to its first token.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

BETWEEN_S = 0.02


def first_s(number: int) -> float:
    """Seconds until the first token of the query ``number``; no two of 20 come in the same step."""
    return 0.05 + number * 7 % 20 * 0.001


def tokens_of(number: int) -> tuple[int, int]:
    """Input and output tokens of the query ``number``."""
    return 100 + number % 37, 8 + number % 13


def chunks_of(number: int) -> list[dict[str, Any]]:
    """What is streamed in answer to the query ``number``, the last chunk telling its tokens."""
    given, written = tokens_of(number)
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk"}
    chunks = [
        {**head, "choices": [{"index": 0, "delta": {"content": f"{number}.{token} "}}], "usage": None}
        for token in range(written)
    ]
    usage = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}
    return [*chunks, {**head, "choices": [], "usage": usage}]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    number = int(await reader.readline())
    arrived_s = time.monotonic()
    *chunks, last = chunks_of(number)
    sent_s = 0.0
    for index, chunk in enumerate(chunks):
        due_s = arrived_s + first_s(number) + index * BETWEEN_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        sent_s = sent_s or time.monotonic() - arrived_s
        writer.write(json.dumps(chunk).encode() + b"\n")
    writer.write(json.dumps(last).encode() + b"\n")
    await writer.drain()
    writer.close()
    given, written = tokens_of(number)
    print(json.dumps({"number": number, "input": given, "output": written, "ttft_s": sent_s}), flush=True)


async def ask(port: int, number: int, seen_s: list[float]) -> AsyncIterator[dict[str, Any]]:
    """A client of it: the chunks of the answer to the query ``number``, as they come.

    ``seen_s`` gets the seconds to the first of them by the client's own clock.
    """
    asked_s, first = time.monotonic(), True
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{number}\n".encode())
        while line := await reader.readline():
            chunk = json.loads(line)
            if first:
                seen_s.append(time.monotonic() - asked_s)
                first = False
            yield chunk
    finally:
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
