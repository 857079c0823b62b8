"""The sheet as a page to read: what is asked, what is answered, what is left out."""

from collections.abc import Iterable, Iterator

from pytest_whq.footprint.left_out import ITEMS, left_out
from pytest_whq.footprint.sheet import Sheet, Workload
from pytest_whq.rendering.markdown_text import escaped
from pytest_whq.rendering.places.words import basis_sentences, price_phrase
from pytest_whq.rendering.sheets.answers import of_all, of_workload
from pytest_whq.rendering.sheets.json import document_of
from pytest_whq.rendering.words import one_line
from pytest_whq.units import format_grams, format_money

_ASKED = {item.name: item.asked for item in ITEMS}


def render(sheet: Sheet) -> str:
    """``sheet`` in Markdown, headed by what all of its workloads share."""
    lines = ["# Energy of inference: what is disclosed", ""]
    supplier = [("supplier", one_line(sheet.supplier))] if sheet.supplier else []
    lines += _table([*supplier, *of_all(sheet)])
    for load in sheet.workloads:
        lines += ["", f"## {escaped(one_line(load.name))}", ""]
        lines += _table([*of_workload(sheet, load), *_footprint(sheet, load)])
        lines += [f"\n{escaped(one_line(said))}" for said in (*load.why, *load.notes)]
    missing = left_out(document_of(sheet)) or ()
    lines += ["", "## Left out", ""]
    lines += [f"- {item.asked} (`{item.name}`)" for item in missing] or ["Nothing of what is asked."]
    if sheet.place.grid is not None:
        lines += ["", *basis_sentences([sheet.place.grid])]
    return "\n".join([*lines, "", f"Made by {escaped(one_line(sheet.tool))}.", ""])


def _table(answers: Iterable[tuple[str, str]]) -> list[str]:
    rows = [f"| {_ASKED.get(item, item)} | {escaped(said)} |" for item, said in answers]
    return ["| asked | answered |", "|:--|:--|", *rows]


def _footprint(sheet: Sheet, load: Workload) -> Iterator[tuple[str, str]]:
    if load.gco2e_g_per_query is not None:
        yield "gCO2e per query", format_grams(load.gco2e_g_per_query)
    if load.cost_per_query is not None and sheet.place.price is not None:
        amount = format_money(load.cost_per_query, one_line(sheet.place.price.currency))
        yield "price of the electricity per query", f"{amount} at {price_phrase(sheet.place.price)}"
