"""A thousand streamed replies, 64 at a time, against the log of the server that sent them."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from statistics import fmean, median
from types import SimpleNamespace
from typing import Any

import pytest
import streaming_server
from measured_project import MeasuredProject

QUERIES = 1000

TESTS = """
import engine, pytest
from streaming_server import ask

@pytest.mark.asyncio
async def test_load(whq):
    async with whq.measure():
        engine.replies = await whq.load(
            lambda number: ask(engine.port, number, engine.seen_s), range(engine.queries), concurrency=64
        )
"""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server: its port, its log as it grows, and what the test of the inner session leaves here."""
    found = SimpleNamespace(queries=QUERIES, log=[], seen_s=[], replies=None)
    monkeypatch.setitem(sys.modules, "engine", found)
    command = [sys.executable, streaming_server.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        found.port = int(lines.readline())
        reading = threading.Thread(target=lambda: found.log.extend(map(json.loads, lines)), daemon=True)
        reading.start()
        try:
            yield found
        finally:
            process.terminate()
            reading.join(5)


def test_a_thousand_streams_are_counted_and_timed_as_the_server_does(
    engine: Any, project: MeasuredProject
) -> None:
    project.use_real_time()
    project.ini(whq_warmup="1")
    project.tests(TESTS)
    project.run().assert_outcomes(passed=1)
    assert engine.replies == [streaming_server.chunks_of(number) for number in range(QUERIES)]

    record = project.records["test_load"]
    # The first is the warm-up call's.
    log = sorted(engine.log, key=lambda line: line["number"])[1:]
    assert [line["number"] for line in log] == list(range(QUERIES))
    assert (record["queries"], record["failed_queries"]) == (QUERIES, 0)
    assert record["input_tokens"] == sum(line["input"] for line in log)
    assert record["output_tokens"] == sum(line["output"] for line in log)

    ttft = record["distributions"]["ttft_s"]
    assert ttft["count"] == QUERIES
    sent_s, seen_s = ([line["ttft_s"] for line in log], engine.seen_s[1:])
    for ours_s, mean in ((ttft["mean"], fmean), (ttft["p50"], median)):
        # A busy machine holds up any client: by so much this one says that it was.
        held_up_s = max(0.0, mean(seen_s) - mean(sent_s))
        assert ours_s == pytest.approx(mean(sent_s), abs=max(0.005, held_up_s + 0.002))
