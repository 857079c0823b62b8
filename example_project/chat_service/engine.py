"""Answers many prompts at once: each step of the model writes one token of every text under way."""

import math
import queue
import random
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from chat_service.model import END, FIRST, Cache, Transformer


class ModelError(Exception):
    """The model failed at a step; the texts that it was writing are lost."""


@dataclass(slots=True, eq=False)
class _Text:
    """One text under way; ``written`` carries its new tokens to the caller, or what went wrong."""

    tokens: list[int]
    limit: int
    temperature: float
    chance: random.Random
    cache: Cache
    written: queue.SimpleQueue[int | Exception] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False

    @property
    def done(self) -> bool:
        return self.abandoned or len(self.tokens) == self.limit or self.tokens[-1] == END

    def add_token(self, logits: Sequence[float]) -> None:
        """Write the likeliest token, or one by chance where the temperature asks for it."""
        top = max(logits)
        if self.temperature == 0:
            choice = logits.index(top)
        else:
            weights = [math.exp((logit - top) / self.temperature) for logit in logits]
            choice = self.chance.choices(range(len(logits)), weights)[0]
        self.tokens.append(FIRST + choice)
        self.written.put(FIRST + choice)


class Engine:
    """Runs ``model`` in a thread of its own, on up to ``max_texts`` texts together.

    Without ``kv_cache`` every token reads the whole text before it again: the same text, for many
    times the work.
    """

    def __init__(self, model: Transformer, *, kv_cache: bool = True, max_texts: int = 32) -> None:
        self.model = model
        self._kv_cache = kv_cache
        self._max_texts = max_texts
        self._arrivals: queue.SimpleQueue[_Text] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="engine", daemon=True).start()

    def generate(
        self, prompt: Sequence[int], max_tokens: int, temperature: float = 0.0, seed: int = 0
    ) -> Generator[int]:
        """The tokens that follow ``prompt``, each as soon as it is written, END among them."""
        limit = len(prompt) + max_tokens
        text = _Text(list(prompt), limit, temperature, random.Random(seed), self.model.new_cache(limit))
        self._arrivals.put(text)
        try:
            for _ in range(max_tokens):
                token = text.written.get()
                if isinstance(token, Exception):
                    raise ModelError(f"The model failed: {token}") from token
                yield token
                if token == END:
                    return
        finally:
            text.abandoned = True

    def _run(self) -> None:
        texts: list[_Text] = []
        while True:
            while not texts or (len(texts) < self._max_texts and not self._arrivals.empty()):
                texts.append(self._arrivals.get())
            try:
                self._step(texts)
            except Exception as error:  # noqa: BLE001 - raised again where the texts are awaited
                for text in texts:
                    text.abandoned = True
                    text.written.put(error)
            texts = [text for text in texts if not text.done]

    def _step(self, texts: list[_Text]) -> None:
        """Write one token of each text."""
        if not self._kv_cache:
            for text in texts:
                text.cache.length = 0
        batch = [(text.tokens[text.cache.length :], text.cache) for text in texts]
        for text, logits in zip(texts, self.model.forward(batch).tolist(), strict=True):
            text.add_token(logits)
