"""Every engine of the table, by a page of its metrics in the shape that it has."""

import re
from dataclasses import asdict, dataclass

import pytest

from pytest_whq.model.serving import ServerWork
from pytest_whq.servers.counters import page_of, work_between
from pytest_whq.servers.engines import ENGINES


@dataclass(frozen=True)
class Shown:
    """A page of an engine, ``{n}`` standing for a counter that counts n while it does what ``did`` says."""

    page: str
    did: ServerWork
    busy: float


PAGES = {
    "vllm": Shown(
        """
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 9.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 99.0
vllm:prompt_tokens_cached_total{engine="0",model_name="m"} {40}
vllm:prompt_tokens_total{engine="0",model_name="m"} {60}
vllm:prompt_tokens_total{engine="1",model_name="m"} {40}
vllm:generation_tokens_total{engine="0",model_name="m"} {50}
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} {5}
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} {2}
vllm:request_success_total{engine="0",finished_reason="abort",model_name="m"} {1}
vllm:request_success_created{engine="0",finished_reason="abort",model_name="m"} 1.7e+09
""",
        ServerWork("vLLM", 8, 1, 100, 50, 40, 60),
        3.0,
    ),
    "sglang": Shown(
        """
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name="m"} {100}
sglang:generation_tokens_total{model_name="m"} {50}
sglang:cached_tokens_total{cache_source="device",model_name="m"} {30}
sglang:cached_tokens_total{cache_source="host",model_name="m"} {10}
sglang:num_requests_total{model_name="m"} {8}
sglang:num_aborted_requests_total{model_name="m"} {1}
sglang:num_running_reqs{model_name="m",tp_rank="0"} 2.0
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 1.0
""",
        ServerWork("SGLang", 8, 1, 100, 50, 40, 60),
        3.0,
    ),
    "tgi": Shown(
        """
# TYPE tgi_request_success counter
tgi_request_success{method="batch"} {7}

# TYPE tgi_request_failure counter
tgi_request_failure{err="validation"} {1}

# TYPE tgi_queue_size gauge
tgi_queue_size 1
tgi_batch_current_size 2
tgi_request_generated_tokens_bucket{le="+Inf"} {7}
tgi_request_generated_tokens_sum {50}
tgi_request_generated_tokens_count {7}
tgi_request_input_length_sum {100}
""",
        ServerWork("TGI", 8, 1, 100, 50),
        3.0,
    ),
    "llama.cpp": Shown(
        """
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total {60}
llamacpp:tokens_predicted_total {50}
llamacpp:requests_processing 2
llamacpp:requests_deferred 1
""",
        ServerWork("llama.cpp", output_tokens=50, prefilled_tokens=60),
        3.0,
    ),
    "triton": Shown(
        """
# HELP nv_inference_request_success Number of successful inference requests, all batch sizes
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="ensemble",version="1"} {7}
nv_inference_request_success{model="tensorrt_llm",version="1"} {7}
nv_inference_request_success{model="preprocessing",version="1"} {7}
nv_inference_request_failure{model="ensemble",reason="BACKEND",version="1"} {1}
nv_inference_request_failure{model="tensorrt_llm",reason="BACKEND",version="1"} {1}
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} 2
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 1
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} 64
nv_llm_input_token_len_sum{model="tensorrt_llm",version="1"} {100}
nv_llm_output_token_len_sum{model="tensorrt_llm",version="1"} {50}
""",
        ServerWork("Triton", 8, 1, 100, 50),
        3.0,
    ),
    "tensorrt-llm": Shown(
        """
trtllm_request_success_total{engine_type="trtllm",finished_reason="stop",model_name="m"} {5}
trtllm_request_success_total{engine_type="trtllm",finished_reason="length",model_name="m"} {3}
trtllm_prompt_tokens_total{engine_type="trtllm",model_name="m"} {100}
trtllm_generation_tokens_total{engine_type="trtllm",model_name="m"} {50}
trtllm_num_requests_running{engine_type="trtllm",model_name="m"} 2
trtllm_num_requests_waiting{engine_type="trtllm",model_name="m"} 1
""",
        ServerWork("TensorRT-LLM", 8, None, 100, 50),
        3.0,
    ),
    "dynamo": Shown(
        """
dynamo_frontend_requests_total{endpoint="chat_completions",model="m",status="success"} {7}
dynamo_frontend_requests_total{endpoint="chat_completions",model="m",status="error"} {1}
dynamo_frontend_inflight_requests{model="m"} 3
dynamo_frontend_queued_requests{model="m"} 1
dynamo_frontend_input_sequence_tokens_sum{model="m"} {100}
dynamo_frontend_output_sequence_tokens_sum{model="m"} 77
dynamo_frontend_output_tokens_total{model="m"} {50}
dynamo_frontend_cached_tokens_sum{model="m"} {40}
vllm:prompt_tokens_total{engine="0",model_name="m"} {100}
""",
        ServerWork("Dynamo", 8, 1, 100, 50, 40, 60),
        3.0,
    ),
}


def shown(page: str, times: int) -> str:
    """The page of an engine that has done its work so often."""
    return re.sub(r"\{(\d+)\}", lambda found: str(int(found[1]) * times), page)


def test_every_engine_of_the_table_has_its_page() -> None:
    assert PAGES.keys() == ENGINES.keys()


@pytest.mark.parametrize("name", ENGINES)
def test_the_work_between_two_looks_is_told(name: str) -> None:
    one = PAGES[name]
    before, after = page_of(shown(one.page, 3)), page_of(shown(one.page, 4))
    assert before.engine is ENGINES[name]
    assert work_between(before, after) == one.did
    assert after.busy == one.busy


def test_requests_are_counted_by_what_an_engine_shows_of_them() -> None:
    text = "tgi_request_count {n}\ntgi_request_generated_tokens_sum {n}0\n"
    before, after = (page_of(text.replace("{n}", str(n))) for n in (3, 8))
    assert work_between(before, after).queries == 5


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_that_does_nothing_has_counted_nothing(name: str) -> None:
    one = PAGES[name]
    page = page_of(shown(one.page, 3))
    work = work_between(page, page)
    counted = {value for field, value in asdict(work).items() if field not in ("engine", "fills")}
    assert counted <= {0, None}
    assert work.output_tokens == 0
