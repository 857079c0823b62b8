"""The kinds of files that can be imported: a row each. Nothing of a reader is imported before it reads."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_whq.importing.documents import Documents
    from pytest_whq.importing.result import Found


class Kind(NamedTuple):
    """What a kind's files are of, and the module and function that read them."""

    what: str
    module: str
    function: str = "read"
    aliases: tuple[str, ...] = ()

    def __call__(self, documents: "Documents") -> "Found":
        """What is in ``documents``."""
        found: Found = getattr(import_module(f"pytest_whq.importing.{self.module}"), self.function)(documents)
        return found


KINDS: Mapping[str, Kind] = {
    "inferencemax": Kind("InferenceMAX and InferenceX", "inferencemax", aliases=("inferencex",)),
    "ml-energy": Kind("the ML.ENERGY leaderboard", "ml_energy"),
    "aiperf": Kind("AIPerf exports", "aiperf"),
    "trtllm-bench": Kind("trtllm-bench reports", "trtllm_bench"),
    "optimum": Kind("optimum-benchmark and AI Energy Score", "optimum"),
    "vllm-bench": Kind("vllm bench serve", "vllm_bench"),
    "sglang-bench": Kind("SGLang's bench_serving", "vllm_bench", "read_sglang"),
    "guidellm": Kind("GuideLLM", "guidellm"),
    "inference-perf": Kind("inference-perf summaries", "summaries", "read_inference_perf"),
    "llmperf": Kind("LLMPerf summaries", "summaries", "read_llmperf"),
    "llama-bench": Kind("llama-bench", "summaries", "read_llama_bench"),
}
"""Name -> its reader; ``power`` is no kind of results and stands in ``power/``."""


def kind_named(name: str) -> str | None:
    """The name of the kind that ``name`` or an alias means, None where there is none."""
    return next((kind for kind, row in KINDS.items() if name == kind or name in row.aliases), None)


def names() -> Iterator[str]:
    """Every name by which a kind can be asked for."""
    for kind, row in KINDS.items():
        yield kind
        yield from row.aliases
