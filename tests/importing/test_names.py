"""Results of one name are told apart by what differs in their set-ups, by a number where nothing does."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported import SAMPLES, Import, api_row, written

from pytest_whq.importing.figures.names import unique_names
from pytest_whq.importing.result import Result
from pytest_whq.model.imported import Setup


def names(*setups: Setup, name: str = "lab/model") -> list[str]:
    return unique_names([Result(name, setup) for setup in setups])


def flagged(*flags: str, **told: Any) -> Setup:
    return Setup(flags=flags, **told)


@pytest.mark.parametrize(
    ("setups", "expected"),
    [
        ((flagged("tp=4"), flagged("tp=8")), ["[tp=4]", "[tp=8]"]),
        ((flagged(), flagged("dp_attention")), ["", "[dp_attention]"]),
        ((Setup(concurrency=4), Setup(concurrency=16)), ["[conc=4]", "[conc=16]"]),
        ((Setup(rate_per_s=0.5), Setup(rate_per_s=2.0)), ["[rate=0.5]", "[rate=2]"]),
        ((Setup(input_length=512.4), Setup(input_length=8192.0)), ["[isl=512]", "[isl=8192]"]),
        (
            (Setup(commit="c0ffee" * 5), Setup(commit="beef" * 8)),
            ["[commit=c0ffeec0ff]", "[commit=beefbeefbe]"],
        ),
        ((Setup(date="2026-01-02"), Setup(date="2026-01-03")), ["[date=2026-01-02]", "[date=2026-01-03]"]),
        ((Setup(gpus=8), Setup(gpus=8)), ["", " #2"]),
        ((Setup(output_length=99.6), Setup(output_length=100.4)), ["", " #2"]),
    ],
)
def test_what_differs_names_them(setups: tuple[Setup, ...], expected: list[str]) -> None:
    assert names(*setups) == [f"lab/model{label}" for label in expected]


def test_no_more_is_told_than_tells_them_apart() -> None:
    setups = [flagged(f"tp={tp}", gpus=gpus, date=f"2026-01-0{tp}") for tp, gpus in ((1, 8), (2, 8), (4, 4))]
    assert names(*setups, name="model[conc=1]") == [
        *("model[conc=1,gpus=8,tp=1]", "model[conc=1,gpus=8,tp=2]", "model[conc=1,gpus=4,tp=4]")
    ]
    # The first says nothing of tp, which tells them apart before a date does.
    assert names(flagged(date="2026-01-01"), flagged("tp=2", date="2026-01-02")) == [
        *("lab/model", "lab/model[tp=2]")
    ]


def test_of_several_alike_all_but_the_first_are_numbered() -> None:
    assert names(flagged("tp=4"), flagged("tp=8"), flagged("tp=4")) == [
        *("lab/model[tp=4]", "lab/model[tp=8]", "lab/model[tp=4] #2")
    ]


def test_a_number_is_never_a_name_that_another_has() -> None:
    found = unique_names([Result(name, Setup()) for name in ("a #2", "a", "a", "b")])
    assert found == ["a #2", "a", "a #3", "b"]


def test_two_rows_of_a_file_that_are_alike_are_numbered(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("inferencex", written(tmp_path / "api.json", [api_row(0), api_row(0)]))
    assert [record.test[-2:] for record in run.records] == ["4]", "#2"]


def test_sglang_s_lines_of_one_rate_are_told_apart_by_their_data(whq_import: Import, tmp_path: Path) -> None:
    line = json.loads((SAMPLES / "sglang.jsonl").read_text().splitlines()[0])
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(json.dumps({**line, "dataset_name": name}) for name in ("random", "sharegpt")))
    assert [record.test for record in whq_import("sglang-bench", str(path)).records] == [
        "sglang bench_serving[rate=1,dataset=random]",
        "sglang bench_serving[rate=1,dataset=sharegpt]",
    ]
