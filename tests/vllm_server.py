"""An inference engine of a test's own, which shows its counters as vLLM does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from http_answers import Answer, answering


class VllmServer:
    """It answers ``/ask?prompt=100&output=50&cached=0``, and counts ``late`` looks at its metrics later.

    Without ``tells`` replies are silent on their tokens.
    """

    def __init__(self, *, late: int = 0, tells: bool = True) -> None:
        self.late, self.tells = late, tells
        self.running = self.looks = 0
        self.fails: Answer | None = None
        self._counted = {"stop": 0, "abort": 0, "prompt": 0, "generation": 0, "cached": 0}
        self._due: list[tuple[int, dict[str, int]]] = []

    def ask(self, prompt: int = 100, output: int = 50, cached: int = 0) -> dict[str, object]:
        """Answer one query."""
        work = {"stop": 1, "prompt": prompt, "generation": output, "cached": cached}
        self._due.append((self.looks + self.late, work))
        usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
        return {"object": "chat.completion", "choices": [], **({"usage": usage} if self.tells else {})}

    def abort(self, prompt: int = 100) -> None:
        """A query whose client goes away."""
        self._due.append((self.looks, {"abort": 1, "prompt": prompt}))

    def restart(self) -> None:
        """Begin to count anew."""
        self._counted, self._due = dict.fromkeys(self._counted, 0), []

    def page(self) -> str:
        """What it shows at this look."""
        due = [work for look, work in self._due if look <= self.looks]
        self._due = [one for one in self._due if one[0] > self.looks]
        for work in due:
            for name, count in work.items():
                self._counted[name] += count
        self.looks += 1
        counted, model = self._counted, 'engine="0",model_name="m"'
        return "\n".join(
            [
                "# HELP vllm:num_requests_running Number of requests in model execution batches.",
                "# TYPE vllm:num_requests_running gauge",
                f"vllm:num_requests_running{{{model}}} {self.running}.0",
                f"vllm:num_requests_waiting{{{model}}} 0.0",
                f"vllm:prompt_tokens_total{{{model}}} {counted['prompt']}.0",
                f"vllm:prompt_tokens_created{{{model}}} 1.7537953269352946e+09",
                f"vllm:generation_tokens_total{{{model}}} {counted['generation']}.0",
                f"vllm:prefix_cache_hits_total{{{model}}} {counted['cached']}.0",
                *(
                    f'vllm:request_success_total{{{model},finished_reason="{why}"}} {counted.get(why, 0)}.0'
                    for why in ("stop", "length", "abort", "error")
                ),
                "",
            ]
        )

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its address, meanwhile."""
        with answering(self._answer) as address:
            yield address

    def _answer(self, path: str, headers: dict[str, str]) -> Answer:
        parts = urlsplit(path)
        if parts.path == "/ask":
            asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
            return Answer(json.dumps(self.ask(**asked)), media="application/json")
        return self.fails or Answer(self.page())
