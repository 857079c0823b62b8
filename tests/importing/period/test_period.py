"""A period of production as a run: within 1 % of what it was, or named as incomplete."""

from collections.abc import Callable

import pytest
from http_answers import Answer, answering
from imported import Import, notes
from production import EDGES, LASTS_S, PERIOD, START_S, Archive, Labels, Production, Sample

from pytest_whq.cli import main
from pytest_whq.importing.period.devices import DeviceTracks
from pytest_whq.joules.spans import Span
from pytest_whq.model import Measurement, Run
from pytest_whq.scraping.address import MOST_BYTES
from pytest_whq.scraping.prometheus import Series
from pytest_whq.sources.remote.series import unit_of
from pytest_whq.units import format_moment

Read = Callable[..., Run]


@pytest.fixture
def read(whq_import: Import) -> Read:
    def read(production: Production, *arguments: str, queries: str = "vllm") -> Run:
        """The run of the period of ``production``."""
        with production.serve() as address:
            times = ["--start", format_moment(PERIOD.start_s), "--end", format_moment(PERIOD.end_s)]
            return whq_import("prometheus", address, *times, "--queries", queries, *arguments)

    return read


def only(run: Run) -> Measurement:
    (record,) = run.records
    return record.measurement


def test_a_period_has_its_energy_its_queries_and_their_tokens(read: Read) -> None:
    production = Production()
    run = read(production)
    whole = only(run)
    assert run.records[0].test == f"{format_moment(START_S)} to {format_moment(START_S + LASTS_S)}"
    assert whole.energy_j == pytest.approx(production.true_j(), rel=0.002)
    assert whole.queries == pytest.approx(production.true_queries(), rel=0.002)
    assert whole.failed_queries == pytest.approx(120, abs=1)
    assert whole.tokens.input_tokens == pytest.approx(400 * production.true_queries(), rel=0.002)
    assert whole.tokens.cached_input_tokens == pytest.approx(100 * production.true_queries(), rel=0.002)
    assert whole.metric("wh_per_query") == pytest.approx(
        production.true_j() / 3600 / production.true_queries(), rel=0.003
    )
    assert (whole.valid, whole.reasons, whole.method) == (True, (), "counter")
    assert [device.id for device in whole.devices] == [f"GPU-{gpu}" for gpu in range(4)]
    assert (run.rig.source, run.rig.scope) == ("prometheus", "gpu")
    setup = whole.imported.setup if whole.imported else None
    assert setup is not None
    assert (setup.model, setup.framework, setup.gpus) == ("openai/gpt-oss-120b", "vLLM", 4)


def test_more_failed_queries_than_1_percent_or_than_are_allowed_leave_no_valid_figure(read: Read) -> None:
    whole = only(read(Production(), "--max-failed", "0"))
    assert not whole.valid
    assert [one.code for one in whole.reasons] == ["failed_queries"]


def test_lengths_are_the_engine_s_histogram(read: Read) -> None:
    whole = only(read(Production()))
    assert whole.distributions is not None
    lengths = whole.distributions.output_tokens
    assert lengths is not None
    assert lengths.count == whole.queries
    assert (lengths.p50, lengths.p90, lengths.max) == (50.0, 200.0, 200.0)
    assert lengths.mean == pytest.approx((whole.tokens.output_tokens or 0) / lengths.count)
    (classes,) = [note for note in whole.notes if note.startswith("by output length")]
    assert classes.startswith("by output length, if energy goes by output tokens: 20 to 50 tokens: ")
    assert "100 to 200 tokens: " in classes


def scraped_anew(production: Production, instance: str = "", **labels: str) -> dict[Labels, list[Sample]]:
    """What another job has scraped of the same, 3 s later; with ``instance`` of another engine like it."""
    return {
        tuple(sorted((dict(key) | labels | ({"instance": instance} if instance else {})).items())): [
            (time_s + 3, value) for time_s, value in samples
        ]
        for key, samples in production.series().items()
        if not instance or ("job", "vllm") in key
    }


def read_archive(whq_import: Import, series: dict[Labels, list[Sample]]) -> Run:
    times = ["--start", format_moment(PERIOD.start_s), "--end", format_moment(PERIOD.end_s)]
    with answering(Archive(series)) as address:
        return whq_import("prometheus", address, *times, "--queries", "vllm")


@pytest.mark.parametrize("label", ["job", "prometheus_replica", "service"])
def test_what_is_scraped_twice_is_counted_once(label: str, whq_import: Import) -> None:
    production = Production(engine_restart=4000)
    run = read_archive(whq_import, production.series() | scraped_anew(production, **{label: "another"}))
    whole = only(run)
    assert whole.energy_j == pytest.approx(production.true_j(), rel=0.005)
    assert whole.queries == pytest.approx(production.true_queries(), rel=0.01)
    assert "vLLM at node-1:8000 is scraped 2 times: it is counted once" in notes(run)


@pytest.mark.parametrize(
    ("edges", "classes"),
    [
        (
            {f"{edge}.0": str(edge) for edge in EDGES},
            "20 to 50 tokens: 25,200 queries, 61.8 mWh each; 100 to 200 tokens: 6,000 queries, 265 mWh each",
        ),
        (
            {"10.0": "16", "50.0": "50", "100.0": "100", "1000.0": "1024"},
            (
                "0 to 50 tokens: 25,200 queries, 51.4 mWh each; "
                "more than 100 tokens: 6,000 queries, 309 mWh each"
            ),
        ),
    ],
    ids=["written otherwise", "others"],
)
def test_histograms_of_replicas_add_up_in_the_edges_that_both_have(
    edges: dict[str, str], classes: str, whq_import: Import
) -> None:
    production = Production()
    other = {
        tuple(
            ("le", edges.get(value, value)) if label == "le" else (label, value) for label, value in key
        ): one
        for key, one in scraped_anew(production, "node-9:8000").items()
        if dict(key).get("le", "+Inf") in edges | {"+Inf": ""}
    }
    run = read_archive(whq_import, production.series() | other)
    assert only(run).queries == pytest.approx(2 * production.true_queries(), rel=0.002)
    (said,) = [note for note in only(run).notes if note.startswith("by output length")]
    assert said == f"by output length, if energy goes by output tokens: {classes}"


@pytest.mark.parametrize("answer", [Answer("too many samples", status=422), Answer("x" * (MOST_BYTES + 1))])
def test_a_prometheus_that_gives_no_more_at_once_is_asked_for_less(
    answer: Answer, whq_import: Import
) -> None:
    production = Production()
    archive = Archive(production.series())

    def seldom(path: str, headers: dict[str, str]) -> Answer:
        found = archive(path, headers)
        return answer if len(found.text) > 20_000 else found

    times = ["--start", format_moment(PERIOD.start_s), "--end", format_moment(PERIOD.end_s)]
    with answering(seldom) as address:
        whole = only(whq_import("prometheus", address, *times, "--queries", "vllm"))
    assert whole.energy_j == pytest.approx(production.true_j(), rel=0.002)
    assert whole.queries == pytest.approx(production.true_queries(), rel=0.002)


def test_by_the_hour_each_stands_for_itself(read: Read) -> None:
    production = Production()
    run = read(production, "--by", "hour")
    assert len(run.records) == 2
    for number, record in enumerate(run.records):
        hour = Span(START_S + 3600 * number, START_S + 3600 * (number + 1))
        assert record.measurement.energy_j == pytest.approx(production.true_j(hour), rel=0.005)
        assert record.measurement.queries == pytest.approx(production.true_queries(hour), rel=0.005)


def test_a_gauge_alone_does_too(read: Read) -> None:
    production = Production(gauge=True)
    whole = only(read(production))
    assert whole.energy_j == pytest.approx(production.true_j(), rel=0.01)
    assert whole.method == "power"


@pytest.mark.parametrize("gauge", [False, True])
def test_a_device_that_shows_no_energy_leaves_none(gauge: bool) -> None:
    name = "DCGM_FI_DEV_POWER_USAGE" if gauge else "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
    tracks = DeviceTracks(name, unit_of(name), [Span(1000.0, 1100.0)])
    for gpu, step in (("GPU-0", 300), ("GPU-1", 0)):
        samples = [(990.0 + n, step * (1 if gauge else n)) for n in range(121)]
        tracks.add([Series({"__name__": name, "UUID": gpu}, samples)])
    assert tracks.why_incomplete(0) == "the energy of the period is not complete: GPU-1: no energy is shown"


@pytest.mark.parametrize(
    ("production", "note"),
    [
        (Production(exporter_restart=3000), "GPU-0 and 1 more: count began anew between "),
        (Production(engine_restart=4000), "vLLM at node-1:8000: count began anew between "),
        (Production(gap=(2000, 2900)), "GPU-0 and 3 more: not scraped between "),
        (Production(gap=(2000, 2060), gauge=True), "GPU-0 and 3 more: not scraped between "),
        (
            Production(exporter_restart=3000, engine_restart=4000, gap=(5000, 5600)),
            "vLLM at node-1:8000: not scraped between ",
        ),
    ],
    ids=["exporter", "engine", "gap", "gap of a gauge", "all"],
)
def test_what_hides_less_than_1_percent_is_named_and_the_figure_stands(
    read: Read, production: Production, note: str
) -> None:
    run = read(production)
    whole = only(run)
    assert whole.energy_j == pytest.approx(production.true_j(), rel=0.01)
    assert whole.queries == pytest.approx(production.true_queries(), rel=0.01)
    assert note in notes(run)
    assert whole.valid


@pytest.mark.parametrize(
    ("production", "why"),
    [
        (Production(leaves=3600), "GPU-2 and 1 more: last seen at "),
        (Production(gap=(2000, 2900), gauge=True), "GPU-0 and 3 more: not scraped between "),
        (Production(gap=(2000, 2900), exporter_restart=2500), "GPU-0 and 1 more: count began anew between "),
    ],
    ids=["a node leaves", "gap of a gauge", "restart in a gap"],
)
def test_what_hides_more_leaves_no_energy(read: Read, production: Production, why: str) -> None:
    whole = only(read(production))
    assert (whole.energy_j, whole.wh_per_query, whole.valid) == (None, None, False)
    (reason,) = whole.reasons
    assert reason.code == "sample_gap"
    assert reason.sentence.startswith(f"the energy of the period is not complete: {why}")


def test_an_engine_that_was_down_for_long_hides_no_more_than_a_scrape(read: Read) -> None:
    production = Production(engine_restart=4000, engine_down=900)
    run = read(production, "--by", "hour")
    hour = Span(START_S + 3600, START_S + LASTS_S)
    whole = run.records[1].measurement
    assert whole.queries == pytest.approx(production.true_queries(hour), rel=0.01)
    assert whole.valid
    restarts = [note for note in whole.notes if "count began anew" in note]
    assert len(restarts) == 1


def test_requests_that_a_restart_may_hide_leave_no_figure_per_query(read: Read) -> None:
    whole = only(read(Production(engine_restart=2500, gap=(2000, 2900))))
    assert (whole.queries, whole.wh_per_query, whole.valid) == (None, None, False)
    (reason,) = whole.reasons
    assert reason.code == "no_queries"
    assert reason.sentence.startswith(
        "the queries of the period are not complete: vLLM at node-1:8000: count began anew between "
    )


def test_by_the_hour_only_the_hour_of_a_gap_has_no_figure(read: Read) -> None:
    production = Production(leaves=3600 + 600)
    first, second = (record.measurement for record in read(production, "--by=hour").records)
    assert first.energy_j == pytest.approx(production.true_j(Span(START_S, START_S + 3600)), rel=0.005)
    assert second.energy_j is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--queries", "vlm"],
            "needs --queries with the engine that counts them (did you mean vllm?): dynamo,",
        ),
        (["--queries", "160"], "needs --queries with the engine that counts them: dynamo, vllm, sglang"),
        (["--queries", "tgi"], "has no samples of "),
        (
            ["--queries", "vllm", "--energy", "amd"],
            "has no samples of gpu_energy_consumed or gpu_package_power",
        ),
        (
            ["--queries", "vllm", "--energy", "my_power"],
            "--energy cannot be 'my_power': its name does not tell",
        ),
        (["--queries", "vllm", "--by", "day"], "--by of a period must be hour, not day."),
        (
            ["--queries", "vllm", "--by", "hour", "--start", "1970-01-01T00:00:00Z"],
            "The period has more than 10,000 hours, the most that --by hour tells apart: import it in parts.",
        ),
        (["--queries", "vllm", "--end", "2020-01-01T00:00:00Z"], "--end must be after --start."),
    ],
)
def test_what_cannot_be_is_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    times = ["--start", format_moment(PERIOD.start_s), "--end", format_moment(PERIOD.end_s)]
    with Production().serve() as address:
        address = address.replace("http://", "http://me:s3cret@")
        assert main(["import", "prometheus", address, *times, *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "s3cret" not in shown.out + shown.err


def test_without_a_period_or_an_address_there_is_nothing_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "prometheus", "http://127.0.0.1:1", "--queries=vllm"]) == 2
    assert "needs --start and --end of the period" in capsys.readouterr().err
    assert main(["import", "prometheus", "me:s3cret@node", "--queries=vllm"]) == 2
    assert "needs an address such as http://HOST:PORT" in (err := capsys.readouterr().err)
    assert "s3cret" not in err
