"""Which replies were counted already."""

import gc

from pytest_whq.queries.receipts import Receipts


class Reply:
    pass


def test_a_reply_is_spent_as_often_as_it_was_noted() -> None:
    receipts, reply = Receipts(), {"a": 1}
    assert not receipts.spend(reply)
    receipts.note(reply)
    receipts.note(reply)
    assert [receipts.spend(reply) for _ in range(3)] == [True, True, False]


def test_an_equal_reply_is_another_one() -> None:
    receipts = Receipts()
    receipts.note({"a": 1})
    assert not receipts.spend({"a": 1})


def test_replies_are_not_kept_alive_where_that_can_be_helped() -> None:
    receipts = Receipts()
    for _ in range(3):
        receipts.note(Reply())
    gc.collect()
    assert not receipts.spend(Reply())


def test_only_the_latest_are_kept() -> None:
    receipts = Receipts()
    replies = [[number] for number in range(1001)]
    for reply in replies:
        receipts.note(reply)
    assert (receipts.spend(replies[0]), receipts.spend(replies[1])) == (False, True)
