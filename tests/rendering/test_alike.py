from pytest_whq.rendering.alike import merged


def said(*sentences: str) -> dict[str, list[str]]:
    """Each sentence of a test of its own."""
    return {sentence: [f"test_{number}"] for number, sentence in enumerate(sentences)}


def test_sentences_that_differ_in_their_numbers_are_one_with_their_ranges() -> None:
    asked = ((3, 20, "1.4"), (12, 20, "0.9"), (1, 20, "1.12"), (7, 20, "1.4"))
    (sentence,) = found = merged(said(*(f"{a} of {b} came back, ± {c} % wide" for a, b, c in asked)))
    assert sentence == "1–12 of 20 came back, ± 0.9–1.4 % wide"
    assert list(found.values()) == [["test_0", "test_1", "test_2", "test_3"]]


def test_thousands_are_numbers_and_a_test_is_named_once() -> None:
    found = merged({f"{n} queries, and more": ["test_a"] for n in ("999", "1,000", "12,000", "5")})
    assert found == {"5–12,000 queries, and more": ["test_a"]}


def test_a_few_are_told_one_by_one() -> None:
    few = said("1 of 20", "2 of 20", "3 of 20")
    assert merged(few) == few


def test_numbers_of_names_dates_and_versions_keep_sentences_apart() -> None:
    apart = said(
        *(f"GPU-{n} was hot" for n in range(4)),
        *(f"H{n} was hot" for n in range(4)),
        *(f"accepted on 2026-11-0{n}" for n in range(4)),
        *(f"driver 580.95.{n}" for n in range(4)),
    )
    assert merged(apart) == apart
