"""The outcome of a record is the one that pytest reports, also where subtests decide it."""

import pytest
from measured_project import MeasuredProject

pytest.importorskip("_pytest.subtests", reason="pytest has subtests since 9.0")


def test_a_test_whose_subtest_fails_has_failed_and_is_not_accepted(project: MeasuredProject) -> None:
    project.tests(
        """
        import unittest

        import pytest

        def test_good(whq, client, subtests):
            with whq.measure() as window:
                for number in range(3):
                    with subtests.test(number=number):
                        window.record(client.chat("Say hi."))

        def test_bad(whq, client, subtests):
            with whq.measure() as window:
                for number in range(3):
                    with subtests.test(number=number):
                        window.record(client.chat("Say hi."))
                        assert number != 1

        @pytest.mark.whq
        def test_marked(client, subtests):
            with subtests.test(number=1):
                client.chat("Say hi.")
                assert False

        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def keep(self, whq, client):
                self.whq, self.client = whq, client

            def test_unit(self):
                with self.whq.measure() as window:
                    for number in range(3):
                        with self.subTest(number=number):
                            window.record(self.client.chat("Say hi."))
                            self.assertNotEqual(number, 1)
        """
    )
    project.run("--whq-update-baseline")
    found = {
        name.rpartition(":")[2]: (record["outcome"], record["queries"], record["failed_queries"])
        for name, record in project.records.items()
    }
    assert found == {
        "test_good": ("passed", 3, 0),
        "test_bad": ("failed", 3, 0),
        "test_marked": ("failed", 0, 1),
        "test_unit": ("failed", 3, 0),
    }
    accepted = (project.path / "whq-baseline.json").read_text("utf-8")
    assert [name for name in found if f'{name}"' in accepted] == ["test_good"]


def test_a_test_that_is_run_again_is_not_failed_by_a_subtest_of_before(project: MeasuredProject) -> None:
    project.tests(
        """
        attempts = []

        def test_flaky(whq, client, subtests):
            attempts.append(1)
            with whq.measure() as window:
                window.record(client.chat("Say hi."))
            with subtests.test():
                assert len(attempts) > 1
            assert len(attempts) > 1
        """
    )
    project.run("--reruns=1")
    assert project.records["test_flaky"]["outcome"] == "passed"
