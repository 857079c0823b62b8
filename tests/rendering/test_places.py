"""Grams and money in the terminal, places side by side, the bound, and what others published."""

import re
from dataclasses import replace

import pytest
from placed_run import HOSTILE_GRID, HOSTILE_PLACE, JAPAN, RUN, SUMMARY, at
from report_run import a_hostile_run
from samples import NOTHING

from pytest_whq.footprint.bound import Bound, read_token_price
from pytest_whq.footprint.place import read_grid, read_price
from pytest_whq.model import Place
from pytest_whq.rendering import terminal
from pytest_whq.rendering.places import bounds, equivalents, regions
from pytest_whq.rendering.places.words import LOCATION_BASED, SUPPLIERS_MIX


def cells(line: str) -> list[str]:
    return re.split(" {3,}", line)


def test_the_terminal_shows_grams_and_money_with_year_and_source() -> None:
    lines = terminal.render(at("JPN", "31 JPY/kWh (contract, 2025)", "1.2"), width=120).splitlines()
    assert lines[3] == SUMMARY
    assert [cells(line) for line in lines[4:6]] == [
        ["footprint", "of a query", "of a million queries", "of a million output tokens"],
        [
            "test_chat.py::test_short",
            "0.582 g CO2e, 0.0372 JPY",
            "582 kg CO2e, 37,200 JPY",
            "1.16 kg CO2e, 74.4 JPY",
        ],
    ]
    assert lines[6:] == [JAPAN, LOCATION_BASED]


def test_a_price_alone_has_no_grams_and_says_nothing_of_grids() -> None:
    lines = terminal.render(at(None, "31 JPY/kWh"), width=120).splitlines()
    assert cells(lines[5])[1:] == ["0.0310 JPY", "31,000 JPY", "62.0 JPY"]
    assert lines[6:] == [
        "no PUE given, so the data centre's overhead is not in it · 31 JPY/kWh (as given, year not stated)"
    ]


def test_a_number_of_the_user_has_no_name_and_no_basis() -> None:
    assert (
        "485 g/kWh (as given, year not stated) · no PUE given, so the data centre's overhead is not in it"
        in terminal.render(at("485 g/kWh")).splitlines()
    )


def test_a_suppliers_mix_is_not_called_location_based() -> None:
    text = terminal.render(at("jp:shikoku-electric-residual"))
    assert text.endswith(SUPPLIERS_MIX)
    assert LOCATION_BASED not in text


def test_where_nothing_was_measured_only_the_place_is_told() -> None:
    run = replace(at("JPN", None, "1.2"), records=(NOTHING,))
    assert "footprint" not in terminal.render(run)
    assert LOCATION_BASED in terminal.render(run)


def test_a_quiet_report_has_the_footprint_of_what_fails_only() -> None:
    assert "footprint" not in terminal.render(at("JPN"), verbosity=-1)


def test_without_a_place_nothing_is_told_of_it() -> None:
    assert terminal.render(RUN).endswith(SUMMARY)


def test_places_stand_side_by_side_the_cleanest_first() -> None:
    grids = [read_grid(f"gcp:asia-northeast{number}", "--grid") for number in (1, 2)]
    lines = regions.render(RUN, grids, Place()).splitlines()
    assert lines[0] == "test_chat.py::test_short, 1.00 Wh per query"
    assert [cells(line)[:6] for line in lines[2:4]] == [
        ["gcp:asia-northeast2", "Osaka", "Google Cloud, 2025", "298.92", "1.00", "0.299 g CO2e"],
        ["gcp:asia-northeast1", "Tokyo", "Google Cloud, 2025", "449.23", "1.50", "0.449 g CO2e"],
    ]
    assert [cells(line)[6:] for line in lines[2:4]] == [
        ["299 kg CO2e", "598 g CO2e"],
        ["449 kg CO2e", "898 g CO2e"],
    ]
    assert lines[4:] == [
        "",
        "test_chat.py::test_nothing   not measured: nvml: driver not loaded",
        "",
        "no PUE given, so the data centre's overhead is not in it",
        LOCATION_BASED,
    ]


def test_grids_and_suppliers_side_by_side_are_told_apart() -> None:
    grids = [read_grid(name, "--grid") for name in ("JPN", "jp:shikoku-electric", "0 g/kWh (own plant)")]
    lines = regions.render(RUN, grids, Place()).splitlines()
    assert lines[-2:] == [LOCATION_BASED, SUPPLIERS_MIX]
    assert any("Shikoku Electric Power, 2026-01-23, 2024, supplier's mix, unadjusted" in one for one in lines)


BOUND = Bound(
    read_token_price("0.20 USD/Mtok (list, 2026)", "--price"), read_price("0.10 USD/kWh", "--electricity")
)


def test_the_bound_is_said_with_what_it_stands_on() -> None:
    first, second = bounds.render(BOUND, None).splitlines()
    assert first == (
        "At 0.2 USD for a million (list, 2026) and 0.1 USD/kWh (as given, year not stated) "
        "a token can take at most 7.20 J, a million of them 2.00 kWh."
    )
    assert second == (
        "That holds for all energy that the seller buys, and only if nobody sells below the price "
        "of electricity: it is no measurement, and what is used lies below it."
    )


def test_a_run_has_its_distance_from_the_bound() -> None:
    below = bounds.render(BOUND, RUN).splitlines()
    assert cells(below[4]) == ["test_chat.py::test_short", "6.00 J", "7.20 J", "83.3 %", "1.20 times below"]
    assert cells(below[5]) == ["test_chat.py::test_nothing", "not known"]
    assert below[6:] == [
        SUMMARY.partition(" · ")[2],
        "no PUE given, so the data centre's overhead is not in it",
    ]


def test_a_run_above_the_bound_says_what_that_means() -> None:
    above = bounds.render(BOUND, at(None, None, "1.5")).splitlines()
    assert cells(above[4])[1:] == ["9.00 J", "7.20 J", "125.0 %", "above: sold below its electricity"]
    assert above[-1] == "PUE 1.5 (as given, year not stated)"


def test_input_and_output_have_a_sentence_each() -> None:
    bound = replace(BOUND, input=read_token_price("0.05 USD/Mtok", "--input-price"))
    first, second, _ = bounds.render(bound, None).splitlines()
    assert first.endswith("an output token can take at most 7.20 J, a million of them 2.00 kWh.")
    assert second.endswith("an input token can take at most 1.80 J, a million of them 500 Wh.")


def test_equivalents_have_their_scope_and_source_and_are_not_like_for_like() -> None:
    lines = equivalents.render(RUN).splitlines()
    assert lines[:4] == [
        "a query is                    here   PlayStation 5 at 200 W",
        "test_chat.py::test_short   1.00 Wh                0.300 min",
        SUMMARY.partition(" · ")[2],
        "A PlayStation 5 in a game, as muxup takes it (Per-query energy consumption of LLMs, 2026).",
    ]
    assert [line.split("   ")[0] for line in lines[6:-1]] == [
        "Gemini Apps, median text prompt",
        "Gemini Apps, median text prompt",
        "ML.ENERGY, text conversation",
        "ML.ENERGY, problem solving",
    ]
    assert "240 mWh" in lines[6]
    assert "whole system" in lines[6]
    assert "Google" in lines[6]
    assert lines[-1] == (
        "Not like for like: other models, lengths, hardware and scopes. For an order of magnitude only."
    )


@pytest.mark.parametrize("made", ["terminal", "regions", "bounds", "equivalents"])
def test_hostile_text_cannot_steer_a_terminal(made: str) -> None:
    run = replace(a_hostile_run(), place=HOSTILE_PLACE)
    text = {
        "terminal": lambda: terminal.render(run),
        "regions": lambda: regions.render(run, [HOSTILE_GRID], HOSTILE_PLACE),
        "bounds": lambda: bounds.render(BOUND, run),
        "equivalents": lambda: equivalents.render(run),
    }[made]()
    assert all(line.isprintable() for line in text.splitlines())
