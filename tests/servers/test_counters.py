"""What two looks at an engine tell, and when they tell nothing."""

import pytest

from pytest_whq.scraping.exposition import NotMetricsError
from pytest_whq.servers.counters import RestartedError, UnknownEngineError, page_of, work_between

COUNTED = """
vllm:prompt_tokens_total{model_name="m"} 100
vllm:generation_tokens_total{model_name="m"} 50
vllm:request_success_total{finished_reason="stop",model_name="m"} 3
"""


def test_a_counter_that_falls_means_that_the_engine_was_started_anew() -> None:
    fallen = COUNTED.replace(" 100", " 99")
    with pytest.raises(RestartedError):
        work_between(page_of(COUNTED), page_of(fallen))


def test_a_counter_that_is_gone_means_so_too_though_others_have_grown() -> None:
    gone = COUNTED.replace('vllm:generation_tokens_total{model_name="m"} 50', "").replace(" 100", " 900")
    with pytest.raises(RestartedError):
        work_between(page_of(COUNTED), page_of(gone))


def test_another_engine_at_the_address_means_so_too() -> None:
    with pytest.raises(RestartedError):
        work_between(page_of(COUNTED), page_of("llamacpp:tokens_predicted_total 900"))


def test_gauges_may_fall() -> None:
    busy = COUNTED + 'vllm:num_requests_running{model_name="m"} '
    work = work_between(page_of(busy + "7"), page_of(busy + "0"))
    assert (work.queries, work.output_tokens) == (0, 0)


def test_what_is_not_shown_before_it_first_happens_was_0() -> None:
    before = 'vllm:prompt_tokens_total{model_name="m"} 0'
    work = work_between(page_of(before), page_of(COUNTED))
    assert (work.queries, work.failed_queries, work.input_tokens) == (3, 0, 100)


def test_what_is_not_shown_is_not_known() -> None:
    page = page_of('vllm:prompt_tokens_total{model_name="m"} 10')
    work = work_between(page, page)
    assert (work.queries, work.failed_queries, work.output_tokens, work.cached_input_tokens) == (None,) * 4


def test_a_counter_that_is_not_a_number_is_not_shown() -> None:
    page = page_of(COUNTED.replace(" 50", " NaN"))
    assert work_between(page, page).output_tokens is None


def test_of_more_cached_tokens_than_prompts_have_it_is_not_known_how_many_were_prefilled() -> None:
    hits = "vllm:prefix_cache_hits_total "
    work = work_between(
        page_of(COUNTED + hits + "0"), page_of(COUNTED.replace(" 100", " 200") + hits + "120")
    )
    assert (work.input_tokens, work.cached_input_tokens, work.prefilled_tokens) == (100, 120, None)


@pytest.mark.parametrize("grown", ["1e17", "1e300", "1.7e308"])
def test_what_no_engine_can_have_counted_is_not_known(grown: str) -> None:
    after = COUNTED + f'vllm:prompt_tokens_total{{model_name="n"}} {grown}\n'
    after += f'vllm:prompt_tokens_total{{model_name="o"}} {grown}\n'
    work = work_between(page_of(COUNTED), page_of(after))
    assert (work.queries, work.input_tokens) == (0, None)


def test_metrics_of_something_else_are_of_no_known_engine() -> None:
    with pytest.raises(UnknownEngineError):
        page_of("# TYPE node_load1 gauge\nnode_load1 0.5\n")


def test_a_page_that_is_no_metrics_is_refused() -> None:
    with pytest.raises(NotMetricsError):
        page_of("<html><body>Log in</body></html>")
