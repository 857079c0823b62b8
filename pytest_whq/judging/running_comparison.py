"""The records of a run against a baseline, one by one as its tests end. Pure."""

from collections.abc import Sequence

from pytest_whq.judging.regressions import (
    Against,
    Alike,
    Limit,
    against,
    alike_with,
    compared,
    concluded,
)
from pytest_whq.judging.run_noise import Noise
from pytest_whq.judging.suite import RunningSuite
from pytest_whq.model import Comparison, Record, Rig
from pytest_whq.model.baseline import COMPARED, Baseline, RigKey, rig_key


class RunningComparison:
    """Compares the records of a run, of which there are going to be ``tests``, with ``baseline``.

    What is said of a test holds for the suite, whatever the tests after it say; see `RunningSuite`.
    """

    def __init__(self, baseline: Baseline, tests: int, noise: Noise = Noise()) -> None:  # noqa: B008 - frozen
        self._baseline = baseline
        self._tests = tests
        self._noise = noise
        self._suites: dict[tuple[RigKey, str], RunningSuite] = {}

    def compare(
        self, record: Record, rig: Rig, limit: Limit, attempts: Sequence[Record] = (), *, final: bool = True
    ) -> Comparison:
        """``record``, measured on ``rig``, against what was accepted of its test.

        ``attempts`` are all records of the test where it was measured again: more may follow if not
        ``final``.
        """
        test = against(record, rig, self._baseline, limit, attempts)
        if not isinstance(test, Against):
            return test
        alike = alike_with(test, self._noise)
        if not isinstance(alike, Alike):
            return alike
        whole, per_token = (self._judged(alike, metric, final) for metric in COMPARED)
        return concluded(alike, whole, per_token)

    def _judged(self, test: Alike, metric: str, final: bool) -> Comparison | None:
        case = test.means(metric)
        if case is None:
            return None
        return compared(metric, self._suite(test, metric).judge(case, final=final), case.limit)

    def _suite(self, test: Alike, metric: str) -> RunningSuite:
        key = rig_key(test.base[-1])
        if (key, metric) not in self._suites:
            same = (
                Alike([entry for entry in entries if rig_key(entry) == key], entries, test.limit)
                for entries in self._baseline.tests.values()
            )
            bases = [case.head for one in same if one.head and (case := one.means(metric)) is not None]
            assumed = self._noise.for_boards(bool(test.differences))
            self._suites[key, metric] = RunningSuite(bases, self._tests, assumed)
        return self._suites[key, metric]
