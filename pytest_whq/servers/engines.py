"""The inference engines whose counters are known: one table of what each calls them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Metric(NamedTuple):
    """A metric by its name; of its series those whose ``label`` has one of ``values``, all without one."""

    name: str
    label: str | None = None
    values: tuple[str, ...] = ()

    def holds(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is one of it."""
        return name == self.name and (self.label is None or labels.get(self.label) in self.values)


Sum = tuple[Metric, ...]
"""Metrics that make a quantity together."""


def one(name: str, label: str | None = None, *values: str) -> Sum:
    """A quantity that is one metric."""
    return (Metric(name, label, values),)


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine counts, by names of which the first that its page shows is taken.

    ``ended`` counts requests that ended, also those that ``failed``; ``prompt`` all tokens of prompts, of
    which ``cached`` were found in a cache of prefixes, or only those that were not where ``prefilled`` has
    the name. Where one request is counted by several models, as in an ensemble, ``per`` is their label.
    ``lengths`` are histograms of the tokens of requests, input and output.
    """

    name: str
    ended: Sequence[Sum] = ()
    failed: Sequence[Sum] = ()
    prompt: Sequence[Sum] = ()
    prefilled: Sequence[Sum] = ()
    cached: Sequence[Sum] = ()
    generated: Sequence[Sum] = ()
    busy: Sum = ()
    per: str | None = None
    lengths: tuple[str | None, str | None] = (None, None)

    @property
    def counters(self) -> Sequence[Sequence[Sum]]:
        """All that only grows."""
        return self.ended, self.failed, self.prompt, self.prefilled, self.cached, self.generated

    @property
    def names(self) -> frozenset[str]:
        """The names of all metrics."""
        return self._counters | {metric.name for metric in self.busy}

    @property
    def counted(self) -> frozenset[str]:
        """The names of all that only grows, with the buckets of the histograms."""
        return self._counters | {f"{name}_bucket" for name in self.lengths if name is not None}

    @property
    def _counters(self) -> frozenset[str]:
        return frozenset(metric.name for quantity in self.counters for each in quantity for metric in each)


ENGINES: Mapping[str, Engine] = {
    # Before the engines behind it, whose counters it may show, too.
    "dynamo": Engine(
        "Dynamo",
        ended=[one("dynamo_frontend_requests_total")],
        failed=[one("dynamo_frontend_requests_total", "status", "error")],
        prompt=[one("dynamo_frontend_input_sequence_tokens_sum")],
        cached=[one("dynamo_frontend_cached_tokens_sum")],
        generated=[
            one("dynamo_frontend_output_tokens_total"),
            one("dynamo_frontend_output_sequence_tokens_sum"),
        ],
        busy=one("dynamo_frontend_inflight_requests"),
        lengths=("dynamo_frontend_input_sequence_tokens", "dynamo_frontend_output_sequence_tokens"),
    ),
    "vllm": Engine(
        "vLLM",
        ended=[one("vllm:request_success_total")],
        failed=[one("vllm:request_success_total", "finished_reason", "abort", "error")],
        prompt=[one("vllm:prompt_tokens_total")],
        cached=[
            one("vllm:prompt_tokens_cached_total"),
            one("vllm:prefix_cache_hits_total"),
            one("vllm:gpu_prefix_cache_hits_total"),
        ],
        generated=[one("vllm:generation_tokens_total")],
        busy=(Metric("vllm:num_requests_running"), Metric("vllm:num_requests_waiting")),
        lengths=("vllm:request_prompt_tokens", "vllm:request_generation_tokens"),
    ),
    "sglang": Engine(
        "SGLang",
        ended=[one("sglang:num_requests_total"), one("sglang:e2e_request_latency_seconds_count")],
        failed=[one("sglang:num_aborted_requests_total")],
        prompt=[one("sglang:prompt_tokens_total")],
        cached=[one("sglang:cached_tokens_total")],
        generated=[one("sglang:generation_tokens_total")],
        busy=(Metric("sglang:num_running_reqs"), Metric("sglang:num_queue_reqs")),
        lengths=("sglang:prompt_tokens_histogram", "sglang:generation_tokens_histogram"),
    ),
    "tgi": Engine(
        "TGI",
        ended=[(Metric("tgi_request_success"), Metric("tgi_request_failure")), one("tgi_request_count")],
        failed=[one("tgi_request_failure")],
        prompt=[one("tgi_request_input_length_sum")],
        generated=[one("tgi_request_generated_tokens_sum")],
        busy=(Metric("tgi_batch_current_size"), Metric("tgi_queue_size")),
        lengths=("tgi_request_input_length", "tgi_request_generated_tokens"),
    ),
    "llama.cpp": Engine(
        "llama.cpp",
        prefilled=[one("llamacpp:prompt_tokens_total")],
        cached=[one("llamacpp:prompt_tokens_cached_total")],
        generated=[one("llamacpp:tokens_predicted_total")],
        busy=(Metric("llamacpp:requests_processing"), Metric("llamacpp:requests_deferred")),
    ),
    "tensorrt-llm": Engine(
        "TensorRT-LLM",
        ended=[one("trtllm_request_success_total")],
        prompt=[one("trtllm_prompt_tokens_total")],
        generated=[one("trtllm_generation_tokens_total")],
        busy=(Metric("trtllm_num_requests_running"), Metric("trtllm_num_requests_waiting")),
    ),
    "triton": Engine(
        "Triton",
        ended=[(Metric("nv_inference_request_success"), Metric("nv_inference_request_failure"))],
        failed=[one("nv_inference_request_failure")],
        prompt=[one("nv_llm_input_token_len_sum")],
        generated=[one("nv_llm_output_token_len_sum")],
        busy=one("nv_trt_llm_request_metrics", "request_type", "active", "waiting"),
        per="model",
        lengths=("nv_llm_input_token_len", "nv_llm_output_token_len"),
    ),
}
"""Name for a setting -> what is known of that engine."""
