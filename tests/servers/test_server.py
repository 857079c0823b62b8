"""An engine that is asked over HTTP, and what else may answer in its place."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from http_answers import Answer, answering
from vllm_server import VllmServer

from pytest_whq.errors import SettingError, SourceError
from pytest_whq.scraping import address as scraping
from pytest_whq.scraping.address import address_from
from pytest_whq.servers.server import Server


@contextmanager
def server(answer: Answer, place: str = "") -> Iterator[Server]:
    """One that gets ``answer``, whatever it asks for."""
    with answering(lambda path, headers: answer) as address:
        address = address.replace("http://", "http://me:s3cret@")
        yield Server(address_from("--whq-server", address + place, "/metrics"))


def sentence(answer: Answer) -> str:
    """Why a look fails; it holds no secret."""
    with server(answer) as asked, pytest.raises(SourceError) as failed:
        asked.look()
    assert "s3cret" not in str(failed.value)
    return str(failed.value)


def test_a_look_tells_what_the_engine_counts() -> None:
    engine = VllmServer()
    engine.ask()
    with engine.serve() as address:
        page = Server(address_from("--whq-server", address, "/metrics")).look()
    assert page.engine.name == "vLLM"
    assert sum(value for (name, _), value in page.values.items() if name.endswith("success_total")) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer("<html>Log in</html>", media="text/html"),
            "answers with something else than metrics. A proxy",
        ),
        (Answer("[]", media="application/json"), "as trtllm-serve's at /prometheus/metrics"),
        (Answer("node_load1 0.5"), "answers with metrics of no engine that is known (Dynamo, vLLM, SGLang, "),
        (Answer("", 401), "answers 401: check the user and the password, or the token."),
        (Answer("", 302, location="http://127.0.0.1:1/"), "it sends elsewhere, which is not followed"),
        (
            Answer("x 1\n" * 13_000_000),
            "answers with more than 16 MiB. Name the exporter or the engine itself",
        ),
    ],
    ids=["login", "json", "others", "password", "redirect", "50 MB"],
)
def test_what_is_no_engine_is_said(answer: Answer, said: str) -> None:
    assert said in sentence(answer)


def test_nothing_there_is_said() -> None:
    with answering(lambda path, headers: Answer("")) as address:
        pass
    with pytest.raises(SourceError, match=r"^whq_server: http://127.0.0.1:\d+/metrics does not answer \("):
        Server(address_from("--whq-server", address, "/metrics")).look()


def test_an_answer_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scraping, "LONGEST_S", 0.0)
    assert "does not answer (its answer has not ended within 0 s)" in sentence(Answer(VllmServer().page()))


def test_what_is_no_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingError) as refused:
        address_from("--whq-server", "me:s3cret@node", "/metrics")
    assert str(refused.value) == (
        "--whq-server: needs an address such as http://HOST:PORT, with http or https."
    )


@pytest.mark.parametrize(
    "place",
    ["/metrics?token=s3c ret", "/m\u00e9trics?token=s3cret", "?token=s3cr\u00e9t", "?token=s3c\x7fret"],
)
def test_what_no_line_of_http_can_hold_is_refused_and_not_shown(place: str) -> None:
    with pytest.raises(SettingError) as refused:
        address_from("--whq-server", f"http://node:8000{place}", "/metrics")
    assert str(refused.value) == (
        "--whq-server: behind its host the address has a character that none can have. "
        "Write it with %, as %20 for a blank."
    )


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".org", "no de", "no\x1bde"])
def test_what_is_no_host_is_refused_before_it_is_looked_up(host: str) -> None:
    with pytest.raises(SettingError, match="needs an address such as"):
        address_from("--whq-server", f"http://me:s3cret@{host}:8000")


@pytest.mark.parametrize("host", ["b\u00fccher.example", "::1", "node-1.", "10.0.0.1"])
def test_hosts_of_all_kinds_are_taken(host: str) -> None:
    place = f"[{host}]" if ":" in host else host
    assert address_from("--whq-server", f"http://{place}:8000").host == host
