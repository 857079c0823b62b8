"""Results one by one: what stands in one place of a file and cannot be used costs that result alone."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pytest_whq.importing.cells import CellError
from pytest_whq.importing.documents import Document, Documents
from pytest_whq.importing.result import Found, Result

T = TypeVar("T")


def one_of_each_document(documents: Documents, tool: str, result_of: Callable[[Document], Result]) -> Found:
    """The result of every document; one that raises CellError is left out with its sentence."""
    places = ((document.where, document) for document in documents.documents)
    return one_of_each(places, tool, result_of, documents.left_out)


def one_of_each(
    places: Iterable[tuple[str, T]], tool: str, result_of: Callable[[T], Result], left_out: Iterable[str] = ()
) -> Found:
    """The result of what stands in every place, which is named before the sentence of its CellError."""
    results, unusable = [], list(left_out)
    for where, value in places:
        try:
            results.append(result_of(value))
        except CellError as wrong:
            unusable.append(f"{where} {wrong}")
    return Found(tuple(results), tuple(unusable), tool)
