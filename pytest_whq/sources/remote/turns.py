"""When a source that asks other machines asks them again. Pure."""

_OF_A_CORE = 0.05
"""What asking and reading the answers may take of a core here."""

_OF_THEIR_TIME = 0.25
"""For so much of the time, at most, are those who are asked kept busy, as far as ``longest_s`` lets."""


def pause_s(took_s: float, busy_s: float, *, every_s: float, longest_s: float) -> float:
    """Seconds from one look to the next, which took ``took_s``, of which ``busy_s`` on a core here.

    ``every_s`` at least. Waiting for an answer makes it no longer than ``longest_s``: a machine that answers
    slowly is still to be looked at as often as a window needs.
    """
    return max(every_s, busy_s / _OF_A_CORE, min(took_s / _OF_THEIR_TIME, longest_s))
