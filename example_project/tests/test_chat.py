"""What answers cost: every test here is a number of watt-hours, held by the budgets in pyproject.toml."""

from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

STORY = "Tell me a long story about the sea."
QUESTIONS = ["What is a joule?", "Where does the wind come from?", "Why is the sea salt?", "Name a colour."]


def user(question: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": question}]


@pytest.mark.parametrize(
    ("question", "max_tokens"), [pytest.param("Say hi.", 16, id="short"), pytest.param(STORY, 192, id="long")]
)
def test_ask(whq: Any, client: OpenAI, model: str, question: str, max_tokens: int) -> None:
    reply = whq(client.chat.completions.create, model=model, messages=user(question), max_tokens=max_tokens)
    assert reply.choices[0].message.content


async def test_ask_async(whq: Any, async_client: AsyncOpenAI, model: str) -> None:
    create = async_client.chat.completions.create
    reply = await whq(create, model=model, messages=user("Say hi."), max_tokens=16)
    assert reply.usage.completion_tokens <= 16


def test_questions(whq: Any, client: OpenAI, model: str) -> None:
    with whq.measure() as window:
        for question in QUESTIONS:
            reply = client.chat.completions.create(model=model, messages=user(question), max_tokens=32)
            window.record(reply)
    assert whq.measurement.queries == len(QUESTIONS)


class Assistant:
    """An app that asks twice for every answer, where no test can see it."""

    def __init__(self, create: Callable[..., ChatCompletion], model: str) -> None:
        self.create = create
        self.model = model

    def answer(self, question: str) -> str | None:
        draft = self._ask(question)
        return self._ask(f"Say this in better words: {draft}")

    def _ask(self, question: str) -> str | None:
        reply = self.create(model=self.model, messages=user(question), max_tokens=32)
        return reply.choices[0].message.content


def test_app(whq: Any, client: OpenAI, model: str) -> None:
    assistant = Assistant(client.chat.completions.create, model)
    assistant.create = whq.wrap(assistant.create)
    with whq.measure():
        assistant.answer(QUESTIONS[0])
    assert whq.measurement.queries == 2


# A marker goes before the entries of pyproject.toml, on the hardware that it names.
@pytest.mark.whq_budget(wh_per_query=0.02, hardware="NVIDIA H200*")
@pytest.mark.whq(rounds=3, warmup=2)
def test_follow_up(whq: Any, client: OpenAI, model: str) -> None:
    conversation: list[ChatCompletionMessageParam] = [
        *user(QUESTIONS[0]),
        {"role": "assistant", "content": "The energy of one watt in one second."},
        *user("And a watt-hour?"),
    ]
    reply = whq(client.chat.completions.create, model=model, messages=conversation, max_tokens=32)
    assert reply.usage.prompt_tokens > reply.usage.completion_tokens
