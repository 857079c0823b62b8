"""Baselines in a session: what is compared, what fails, what is accepted."""

import json
from typing import Any

import pytest
from measured_project import MeasuredProject

FILE = "whq-baseline.json"
SUMMARY = "· Scripted H100, 700 W limit · scripted counter · gross, GPU board"

CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.", seconds={seconds})
"""


@pytest.fixture
def calling(project: MeasuredProject) -> MeasuredProject:
    """A project whose one test takes 0.1 Wh per query, which its baseline has."""
    project.tests(CALL.format(seconds=1.0))
    result = project.run("--whq-update-baseline")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"1 measured {SUMMARY}", f"Accepted 1 test into {FILE}."], consecutive=True)
    return project


def slower(project: MeasuredProject, seconds: float = 1.2) -> None:
    """Let the test's calls take longer, and so more energy."""
    project.tests(CALL.format(seconds=seconds))


def comparison(project: MeasuredProject) -> Any:
    """The comparison of the one test, as it was stored."""
    return project.records["test_chat"]["comparison"]


REGRESSED = (
    "wh_per_query is 120 mWh, +20.0 % (+1?.? % to +2?.? %) from its baseline of 100 mWh (1 run of 20*), "
)


def test_what_regressed_fails_with_one_sentence_where_that_is_enforced(calling: MeasuredProject) -> None:
    slower(calling)
    result = calling.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_it.py::test_chat   120 mWh ± 0.1 %    100 mWh   +20.0 %   regressed"])
    result = calling.run("--whq-budget")
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "_* test_chat _*",
            f"{REGRESSED}more than the 5.0 % allowed (default); j_per_output_token regressed (+20.0 %).",
            "-* energy, Wh per query -*",
        ],
        consecutive=True,
    )
    result.stdout.no_fnmatch_line("*enforced nothing*")
    found = comparison(calling)
    assert (found["outcome"], found["baseline"], found["runs"], found["limit"]) == (
        "regressed",
        pytest.approx(0.1),
        1,
        0.05,
    )


def test_what_is_as_before_passes(calling: MeasuredProject) -> None:
    result = calling.run("--whq-budget")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_chat   100 mWh ± 0.1 %    100 mWh   +0.0 %   unchanged",
            f"1 measured {SUMMARY}",
            "Smallest change found 4 times of 5: +6.? % (test_it.py::test_chat)",
            "Written: run.json",
            "=* 1 passed in *",
        ],
        consecutive=True,
    )
    calling.run("-q").stdout.no_fnmatch_line("Smallest change*")


@pytest.mark.parametrize("how", ["marker", "file", "option", "ini"])
def test_the_limit_is_that_of_marker_file_option_or_ini(calling: MeasuredProject, how: str) -> None:
    slower(calling)
    arguments = ["--whq-budget"]
    if how == "marker":
        calling.tests(
            'import pytest\n@pytest.mark.whq_budget(max_regression="30%")' + CALL.format(seconds=1.2)
        )
    elif how == "file":
        calling.pytester.makefile(".toml", whq='[[budgets]]\nmax_regression = "30%"')
    elif how == "option":
        arguments.append("--whq-max-regression=30%")
    else:
        calling.ini(whq_max_regression="30%")
    calling.run(*arguments).assert_outcomes(passed=1)
    assert (comparison(calling)["outcome"], comparison(calling)["limit"]) == ("unchanged", 0.3)


def test_the_run_noise_is_a_setting(calling: MeasuredProject) -> None:
    slower(calling)
    calling.ini(whq_run_noise="10%")
    result = calling.run("--whq-budget")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["1 test inconclusive: the change is beyond the limit, but no change at all cannot be excluded"]
    )
    calling.run("--whq-budget", "--whq-run-noise=1%").assert_outcomes(failed=1)


@pytest.mark.parametrize(
    "setting", ["whq_fail_inconclusive", "whq_when", "--whq-when", "--whq-fail-inconclusive"]
)
def test_what_is_inconclusive_can_fail(calling: MeasuredProject, setting: str) -> None:
    slower(calling)
    flags = {
        "--whq-when": "--whq-when=inconclusive=fail",
        "--whq-fail-inconclusive": "--whq-fail-inconclusive",
    }
    ini = {"whq_fail_inconclusive": "true", "whq_when": "inconclusive=fail"}
    calling.ini(**({setting: ini[setting]} if setting in ini else {}))
    result = calling.run("--whq-budget", "--whq-run-noise=10%", *filter(None, [flags.get(setting)]))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["wh_per_query is 120 mWh, +20.0 % (-* to +*) from *, too noisy to tell from the *"]
    )


def test_a_test_that_is_not_in_the_baseline_follows_its_policy(calling: MeasuredProject) -> None:
    calling.tests(CALL.format(seconds=1.0).replace("test_chat", "test_other"))
    result = calling.run("--whq-budget")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_other   100 mWh ± 0.1 %   new",
            "1 test of the baseline is gone, deleted or renamed: test_it.py::test_chat",
            f"1 measured {SUMMARY}",
            "--whq-budget enforced nothing: no budget applies to what was measured.",
            "1 test new, not in the baseline: accept with --whq-update-baseline or whq accept",
        ],
        consecutive=True,
    )
    calling.run("--whq-budget", "--whq-when=new=pass").stdout.no_fnmatch_line("*not in the baseline*")
    result = calling.run("--whq-budget", "--whq-when=new=fail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query cannot be compared with its baseline: "
                "the baseline does not have this test; accept it to make one."
            )
        ]
    )


def test_another_rig_is_not_compared_with(calling: MeasuredProject) -> None:
    text = (calling.path / FILE).read_text("utf-8")
    (calling.path / FILE).write_text(
        text.replace('"power_limit_w": 700.0', '"power_limit_w": 600.0'), "utf-8"
    )
    result = calling.run("--whq-budget")
    result.assert_outcomes(passed=1)
    difference = "power limit 700 W, in the baseline 600 W"
    result.stdout.fnmatch_lines([f"1 test not comparable with the baseline: {difference}"])
    result = calling.run("--whq-budget", "--whq-when=not_comparable=fail")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"wh_per_query cannot be compared with its baseline: {difference}."])


NO_DRIVER = """
from pytest_whq import SourceError

def no_driver():
    raise SourceError("nvml: the driver is not loaded. Load it with modprobe nvidia.", "no_source")

def pytest_whq_power_sources():
    return {"scripted": no_driver}
"""


def test_a_driver_that_is_gone_fails_a_test_that_the_baseline_has(calling: MeasuredProject) -> None:
    calling.pytester.makeconftest(NO_DRIVER)
    calling.tests("def test_chat(whq): whq(len, [1])")
    result = calling.run("--whq-budget")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query was not measured, though the baseline has this test: nvml: the driver is not "
                "loaded. Load it with modprobe nvidia."
            ),
            "0 measured, 1 not measured, 1 failing by a policy *",
        ]
    )
    assert comparison(calling)["outcome"] == "not_measured"
    calling.run().assert_outcomes(passed=1)
    result = calling.run("--whq-budget", "--whq-when=not_measured=warn")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 test not measured, though in the baseline: nvml: the driver is not *"])


def test_a_source_that_is_to_be_found_may_measure_nothing(calling: MeasuredProject) -> None:
    calling.ini(whq_source="auto", whq_devices="none-of-them")
    result = calling.run("--whq-budget")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 test not measured, though in the baseline: *"])


def test_a_missing_baseline_follows_its_policy(project: MeasuredProject) -> None:
    project.tests(CALL.format(seconds=1.0))
    line = "No baseline whq-baseline.json: regressions are not judged (--whq-update-baseline makes one)."
    project.run().stdout.no_fnmatch_line("No baseline*")
    result = project.run("--whq-budget")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([line])
    project.run("--whq-budget", "--whq-when=no_baseline=pass").stdout.no_fnmatch_line("No baseline*")
    result = project.run("--whq-budget", "--whq-when=no_baseline=fail")
    result.stdout.no_fnmatch_line("*enforced nothing*")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "wh_per_query cannot be compared with its baseline: "
                "there is no baseline whq-baseline.json; --whq-update-baseline makes it."
            )
        ]
    )


@pytest.mark.parametrize("how", ["option", "ini"])
def test_the_baseline_can_be_anywhere(project: MeasuredProject, how: str) -> None:
    project.tests(CALL.format(seconds=1.0))
    project.ini(whq_baseline="nightly.json" if how == "ini" else None)
    arguments = [] if how == "ini" else ["--whq-baseline=nightly.json"]
    project.run("--whq-update-baseline", *arguments)
    slower(project)
    project.run("--whq-budget", *arguments).assert_outcomes(failed=1)
    assert not (project.path / FILE).exists()


def test_an_update_shows_what_regressed_and_takes_it_in(calling: MeasuredProject) -> None:
    slower(calling)
    result = calling.run("--whq-budget", "--whq-update-baseline")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*   +20.0 %   regressed", f"Accepted 1 test into {FILE}."])
    calling.run()
    assert comparison(calling)["runs"] == 2
    assert comparison(calling)["baseline"] == pytest.approx((0.10 * 0.12) ** 0.5)


def test_a_session_that_is_broken_off_accepts_nothing(calling: MeasuredProject) -> None:
    before = (calling.path / FILE).read_text("utf-8")
    calling.tests(CALL.format(seconds=1.0) + "\ndef test_end():\n    raise KeyboardInterrupt\n")
    result = calling.run_apart("--whq-update-baseline")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"Nothing is accepted into {FILE}: the session did not come to its end."])
    assert (calling.path / FILE).read_text("utf-8") == before


def test_an_update_by_ini_is_one(project: MeasuredProject) -> None:
    project.ini(whq_update_baseline="true")
    project.tests(CALL.format(seconds=1.0))
    project.run().stdout.fnmatch_lines([f"Accepted 1 test into {FILE}."])


def test_an_update_says_what_it_leaves_out(project: MeasuredProject) -> None:
    project.tests(
        """
        import pytest

        def test_good(whq, client):
            whq(client.chat, "Say hi.")

        def test_wrong(whq, client):
            whq(client.chat, "Say hi.")
            assert False

        @pytest.mark.whq_budget(wh_per_query=0.05)
        def test_over(whq, client):
            whq(client.chat, "Say hi.")

        def test_refused(whq, client):
            with whq.measure() as window:
                window.record(ok=False)
                client.chat("Say hi.")

        def test_nothing(whq):
            pass
        """
    )
    result = project.run("--whq-update-baseline", "--whq-budget")
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(
        [
            f"Accepted 2 tests into {FILE}.",
            "Left out 1 test: the test failed (test_it.py::test_wrong).",
            "Left out 1 test: 1 of 1 queries failed (test_it.py::test_refused).",
            (
                "Left out 1 test: the test has the whq fixture and measured nothing with it "
                "(test_it.py::test_nothing)."
            ),
        ],
        consecutive=True,
    )
    runs = json.loads((project.path / FILE).read_text("utf-8"))["runs"]
    assert [record["test"] for record in runs[0]["records"]] == [
        "test_it.py::test_good",
        "test_it.py::test_over",
    ]


def test_a_test_that_fails_by_itself_keeps_its_error_and_is_not_compared(calling: MeasuredProject) -> None:
    calling.tests(CALL.format(seconds=1.2) + "    assert False\n")
    result = calling.run("--whq-budget")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       assert False"])
    result.stdout.no_fnmatch_line("*baseline of*")
    assert comparison(calling) is None


def test_a_regression_that_is_expected_is_xfail(calling: MeasuredProject) -> None:
    calling.tests("import pytest\n@pytest.mark.xfail(strict=True)" + CALL.format(seconds=1.2))
    calling.run("--whq-budget").assert_outcomes(xfailed=1)


@pytest.mark.parametrize("damage", ["", '{"format": 1, "runs": [', '{"format": 9, "runs": []}'])
def test_a_baseline_that_cannot_be_read_ends_the_session_and_stays(
    calling: MeasuredProject, damage: str
) -> None:
    (calling.path / FILE).write_text(damage)
    for arguments in ([], ["--whq-update-baseline"]):
        result = calling.run(*arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: */{FILE} is *"])
    assert (calling.path / FILE).read_text() == damage


def test_a_baseline_that_cannot_be_written_fails_the_session(project: MeasuredProject) -> None:
    project.tests(CALL.format(seconds=1.0))
    (project.path / FILE).symlink_to("/nowhere/baseline.json")
    result = project.run("--whq-update-baseline")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*/{FILE} cannot be written (No such file or directory). Check the path.*"])


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--whq-max-regression=5", "--whq-max-regression must be a share such as \"2%\" or 0.02, not '5'."),
        ("--whq-run-noise=0", "--whq-run-noise must be a share such as \"2%\" or 0.02, not '0'."),
        (
            "--whq-when=new=ignore",
            (
                "--whq-when cannot be 'new=ignore': it is CASE=POLICY, of no_baseline, new, not_comparable, "
                "inconclusive, not_measured and pass, warn, fail."
            ),
        ),
        (
            "--whq-baseline=nowhere/b.json",
            "--whq-baseline cannot be 'nowhere/b.json': there is no folder */nowhere.",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    project: MeasuredProject, argument: str, sentence: str
) -> None:
    project.tests(CALL.format(seconds=1.0))
    result = project.run(argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence.replace('[', '[[]')}"])


def test_with_xdist_workers_compare_and_the_controller_accepts(calling: MeasuredProject) -> None:
    slower(calling)
    result = calling.run_apart("-n2", "--whq-budget")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{REGRESSED}more than the 5.0 % allowed (default); *"])
    result = calling.run_apart("-n2", "--whq-update-baseline")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"Accepted 1 test into {FILE}."])
    assert len(json.loads((calling.path / FILE).read_text("utf-8"))["runs"]) == 2


def test_without_measuring_there_is_nothing_to_compare(calling: MeasuredProject) -> None:
    (calling.path / FILE).write_text("junk")
    calling.run("--whq-disable").assert_outcomes(passed=1)


ODD_ONCE = """
import itertools

SECONDS = itertools.chain({seconds}, itertools.repeat(1.0))

def test_chat(whq, client):
    def measure(seconds):
        return client.chat("Say hi.", seconds=seconds)
    whq(lambda: measure(next(SECONDS)))
"""
ROUND = [1.2] * 6
"""The calls of a measurement: one to warm up and five rounds."""


@pytest.mark.parametrize("how", ["option", "ini"])
def test_what_seems_to_have_changed_is_measured_again_before_it_fails(
    calling: MeasuredProject, how: str
) -> None:
    calling.tests(ODD_ONCE.format(seconds=ROUND))
    calling.run("--whq-budget").assert_outcomes(failed=1)
    if how == "ini":
        calling.ini(whq_remeasure="2")
    result = calling.run("--whq-budget", *(["--whq-remeasure=2"] if how == "option" else []))
    result.assert_outcomes(passed=1)
    record = calling.records["test_chat"]
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.1, rel=0.01)
    assert [note for note in record["notes"] if "times" in note] == [
        "measured 3 times, since it seemed to have changed: 120 mWh, 100 mWh, 100 mWh; the middle one stands"
    ]


def test_what_has_changed_fails_after_all(calling: MeasuredProject) -> None:
    slower(calling)
    result = calling.run("--whq-budget", "--whq-remeasure=1")
    result.assert_outcomes(failed=1)
    assert "measured 2 times" in " ".join(calling.records["test_chat"]["notes"])


def test_what_has_not_changed_is_measured_once(calling: MeasuredProject) -> None:
    calling.run("--whq-budget", "--whq-remeasure=2").assert_outcomes(passed=1)
    assert "measured" not in " ".join(calling.records["test_chat"]["notes"])


def test_a_test_of_several_figures_is_measured_once(calling: MeasuredProject) -> None:
    calling.tests(CALL.format(seconds=1.2) + "    whq(client.chat, 'Say hi.', seconds=1.2)\n")
    calling.run("--whq-budget", "--whq-remeasure=2").assert_outcomes(failed=1)
