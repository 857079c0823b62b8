import pytest
from measured_project import MeasuredProject, run_with


def test_a_marker_alone_measures_the_test_as_one_query(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.whq
        def test_marked(client):
            client.chat("Say hi.")
            client.chat("Say ho.")

        @pytest.mark.whq_budget(wh_per_query=0.3)
        def test_budgeted(client):
            client.chat("Say hi.", seconds=2.5)

        def test_neither(client):
            client.chat("Say hi.")
        """
    )
    project.run().assert_outcomes(passed=3)
    assert list(project.records) == ["test_marked", "test_budgeted"]
    marked, budgeted = project.records.values()
    assert (marked["queries"], marked["duration_s"]) == (1, pytest.approx(2.0))
    assert marked["reasons"] == ["tokens_missing"]
    assert marked["metrics"]["wh_per_query"] == pytest.approx(0.2, rel=2e-3)
    assert budgeted["metrics"]["wh_per_query"] == pytest.approx(0.25, rel=2e-3)
    assert budgeted["budgets"][0]["outcome"] == "within"


def test_a_marked_test_that_fails_is_a_failed_query(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest
        pytestmark = pytest.mark.whq

        def test_error(client):
            client.fail("Say hi.")

        def test_fail(client):
            client.chat("Say hi.")
            pytest.fail("its own")

        def test_xfail(client):
            client.chat("Say hi.")
            pytest.xfail("known")

        def test_skip(client):
            client.chat("Say hi.")
            pytest.skip("not here")
        """
    )
    result = project.run("--whq-max=wh_per_query=0.01")
    result.assert_outcomes(failed=2, xfailed=1, skipped=1)
    assert [
        (name, record["outcome"], record["queries"], record["failed_queries"])
        for name, record in project.records.items()
    ] == [
        ("test_error", "failed", 0, 1),
        ("test_fail", "failed", 0, 1),
        ("test_xfail", "xfailed", 0, 1),
    ]


def test_unittest_classes_use_the_fixture_and_the_markers(project: MeasuredProject) -> None:
    project.tests(
        """
        import unittest
        import pytest

        class TestFixture(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def take_fixtures(self, whq, client):
                self.whq, self.client = whq, client

            def test_call(self):
                reply = self.whq(self.client.chat, "Say hi.")
                self.assertEqual(reply["echo"], "Say hi.")

            def test_window(self):
                with self.whq.measure() as window:
                    window.record(self.client.chat("Say hi."))

        @pytest.mark.usefixtures("client_of_class")
        @pytest.mark.whq
        class TestMarker(unittest.TestCase):
            def test_passes(self):
                self.client.chat("Say hi.")

            def test_fails(self):
                self.client.chat("Say hi.")
                self.fail("its own")

            def test_skips(self):
                self.skipTest("not here")

        @pytest.fixture
        def client_of_class(request, client):
            request.cls.client = client
        """
    )
    result = project.run("--whq-max=wh_per_query=0.09")
    result.assert_outcomes(failed=4, skipped=1)
    result.stdout.fnmatch_lines(["E * AssertionError: its own"])
    assert result.stdout.str().count("over its budget of 90.0 mWh (--whq-max)") == 3
    assert [
        (name.replace("::", "."), record["outcome"], record["queries"], record["failed_queries"])
        for name, record in project.records.items()
    ] == [
        ("TestFixture.test_call", "failed", 5, 0),
        ("TestFixture.test_window", "failed", 1, 0),
        ("TestMarker.test_fails", "failed", 0, 1),
        ("TestMarker.test_passes", "failed", 1, 0),
    ]


def test_a_unittest_that_ends_before_it_measures_leaves_no_record(project: MeasuredProject) -> None:
    project.tests(
        """
        import unittest
        import pytest

        class TestFixture(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def take_whq(self, whq):
                self.whq = whq

            def test_fails(self):
                self.fail("its own")

            def test_skips(self):
                self.skipTest("not here")
        """
    )
    result = project.run("--whq-max=wh_per_query=0.09")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["E * AssertionError: its own"])
    assert project.records == {}


def test_each_parameter_has_its_own_record_and_marks(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.mark.parametrize(
            "seconds",
            [1.0, pytest.param(2.0, id="long", marks=pytest.mark.whq_budget(wh_per_query=0.15))],
        )
        def test_chat(whq, client, seconds):
            whq(client.chat, "Say hi.", seconds)
        """
    )
    result = project.run("--whq-budget")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_chat?1.0?    100 mWh ± ?.? %",
            "test_it.py::test_chat?long?   200 mWh ± ?.? %   133.3 % of 150 mWh, exceeded",
        ]
    )
    assert list(project.records) == ["test_chat[1.0]", "test_chat[long]"]


def test_the_closest_marker_wins_keyword_by_keyword(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest
        pytestmark = [
            pytest.mark.whq(rounds=2, warmup=3),
            pytest.mark.whq_budget(wh_per_query=1.0, wh_total=2.0),
        ]

        @pytest.mark.whq(rounds=3)
        @pytest.mark.whq_budget(wh_per_query=0.5)
        class TestClass:
            def test_of_class(self, whq, client):
                whq(client.chat, "Say hi.")
                assert client.calls == 3 + 3

            @pytest.mark.whq(rounds=4)
            @pytest.mark.whq_budget(wh_per_query=0.25)
            def test_of_function(self, whq, client):
                whq(client.chat, "Say hi.")
                assert client.calls == 3 + 4

        def test_of_module(whq, client):
            whq(client.chat, "Say hi.", seconds=3.0)
            assert client.calls == 3 + 2
        """
    )
    project.run("--whq-warmup=9", "--whq-max-seconds=1").assert_outcomes(passed=3)
    assert [
        [(verdict["metric"], verdict["limit"]) for verdict in record["budgets"]]
        for record in project.records.values()
    ] == [
        [("wh_per_query", 0.5), ("wh_total", 2.0)],
        [("wh_per_query", 0.25), ("wh_total", 2.0)],
        [("wh_per_query", 1.0), ("wh_total", 2.0)],
    ]


def test_pytest_lists_the_markers_and_the_fixture(project: MeasuredProject) -> None:
    project.run("--markers").stdout.fnmatch_lines(
        [
            "@pytest.mark.whq(rounds, warmup, min_seconds, max_seconds, precision, idle_ok, max_cached): *",
            "@pytest.mark.whq_budget(METRIC=LIMIT, ..., hardware, estimate, max_regression, max_failed): *",
        ]
    )
    project.run("--fixtures").stdout.fnmatch_lines(
        [
            "whq -- *",
            "    Measures the energy of the calls that pass through it; see the README of pytest-whq.",
        ]
    )


def test_a_fixture_of_the_users_own_by_that_name_measures_nothing(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        @pytest.fixture
        def whq():
            return "mine"

        def test_mine(whq):
            assert whq == "mine"
        """
    )
    project.run().assert_outcomes(passed=1)
    assert project.records == {}


def test_a_budget_on_a_device_that_did_nothing_fails_unless_the_test_says_that_it_may(
    project: MeasuredProject,
) -> None:
    project.ini(whq_idle_ok="false")
    project.tests("""
        import pytest

        def test_remote(whq, client):
            with whq.measure() as window:
                window.record(client.chat("hi", 3.0))

        @pytest.mark.whq(idle_ok=True)
        def test_meant(whq, client):
            with whq.measure() as window:
                window.record(client.chat("hi", 3.0))
    """)
    result = project.run("--whq-max=wh_per_query=1")
    result.assert_outcomes(passed=1, failed=1)
    assert project.records["test_remote"]["reasons"] == ["device_idle"]
    assert project.records["test_remote"]["metrics"]["wh_per_query"] == pytest.approx(0.3)
    assert project.records["test_meant"]["valid"]


def test_a_budget_on_input_that_a_cache_answered_fails_where_the_test_or_the_project_allows_less(
    project: MeasuredProject, given: str
) -> None:
    project.conftest("""
@pytest.fixture
def cached(client):
    def chat(prompt):
        reply = client.chat(prompt)
        reply["usage"]["prompt_tokens_details"] = {"cached_tokens": 50}
        return reply
    return chat
""")
    project.tests("""
        import pytest

        def test_half(whq, cached):
            whq(cached, "Say hi.")

        @pytest.mark.whq(max_cached="50%")
        def test_allowed(whq, cached):
            whq(cached, "Say hi.")

        @pytest.mark.whq(max_cached="100%")
        def test_silent(whq, client):
            whq(client.chat, vary=["Say hi.", "Say ho."])
    """)
    run_with(project, given, whq_max_cached="0.4", whq_budget="true", whq_max="wh_per_query=1")
    assert {name: record["reasons"] for name, record in project.records.items()} == {
        "test_half": ["cached_input"],
        "test_allowed": [],
        "test_silent": [],
    }
    assert {name: record["outcome"] for name, record in project.records.items()} == {
        "test_half": "failed",
        "test_allowed": "passed",
        "test_silent": "passed",
    }
    [note] = project.records["test_silent"]["notes"]
    assert note.startswith("4 of 5 queries asked what was asked before")
