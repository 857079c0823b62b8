import threading

from pytest_whq.model import TokenCount
from pytest_whq.queries.tally import Tally


def test_a_new_tally_has_counted_nothing() -> None:
    tally = Tally()
    assert (tally.queries, tally.failed_queries, tally.tokens) == (0, 0, TokenCount())


def test_queries_and_their_tokens_add_up() -> None:
    tally = Tally()
    tally.succeed(TokenCount(10, 5, 4, 1))
    tally.succeed(TokenCount(20, 7, 0, 2))
    tally.fail()
    assert (tally.queries, tally.failed_queries) == (2, 1)
    assert tally.tokens == TokenCount(30, 12, 4, 3)


def test_what_one_reply_does_not_tell_is_unknown_for_all() -> None:
    tally = Tally()
    tally.succeed(TokenCount(10, 5, 4))
    tally.succeed(TokenCount(20, None))
    tally.succeed(TokenCount(30, 6, 1))
    assert tally.tokens == TokenCount(60, None, None, None)


def test_a_failed_query_leaves_the_tokens_of_others_known() -> None:
    tally = Tally()
    tally.fail()
    assert tally.tokens == TokenCount()
    tally.succeed(TokenCount(10, 5))
    assert tally.tokens == TokenCount(10, 5)


def test_the_first_sentence_about_an_unreadable_reply_is_kept() -> None:
    tally = Tally()
    tally.succeed(TokenCount(1, 1))
    assert tally.unreadable is None
    tally.succeed(TokenCount(), "it is a cat")
    tally.succeed(TokenCount(), "it is a dog")
    assert tally.unreadable == "it is a cat"


def test_calls_from_several_threads_are_counted_each() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(2000):
            tally.succeed(TokenCount(1, 2))
            tally.fail()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.queries, tally.failed_queries) == (8000, 8000)
    assert tally.tokens == TokenCount(8000, 16000)
