"""What cannot be used is refused before any test has run: exit 4 and one sentence."""

import pytest
from measured_project import MeasuredProject

from pytest_whq.model import METRICS

MEASURED = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""


def assert_refused(result: pytest.RunResult, sentence: str) -> None:
    assert result.errlines == [f"ERROR: {sentence}", ""]
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stdout.no_fnmatch_line("test_it.py*")


VALUES = [
    ("whq_rounds", "many", "must be a whole number of at least 1, not 'many'."),
    ("whq_rounds", "0", "must be a whole number of at least 1, not '0'."),
    ("whq_warmup", "-1", "must be a whole number of at least 0, not '-1'."),
    ("whq_min_seconds", "-1", "must be a number of seconds of at least 0, not '-1'."),
    ("whq_max_seconds", "0", "must be a number of seconds above 0, not '0'."),
    ("whq_max_seconds", "inf", "must be a number of seconds above 0, not 'inf'."),
    ("whq_precision", "2", "must be a share such as \"2%\" or 0.02, not '2'."),
    ("whq_precision", "-2%", "must be a share such as \"2%\" or 0.02, not '-2%'."),
    ("whq_precision", "nan", "must be a share such as \"2%\" or 0.02, not 'nan'."),
]


@pytest.mark.parametrize(("name", "value", "sentence"), VALUES)
def test_an_option_with_a_wrong_value_is_refused(
    project: MeasuredProject, name: str, value: str, sentence: str
) -> None:
    flag = f"--{name.replace('_', '-')}"
    assert_refused(project.run(f"{flag}={value}"), f"{flag} {sentence}")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        *VALUES,
        ("whq_budget", "maybe", "must be true or false, not 'maybe'."),
        ("whq_estimate", "2", "must be true or false, not '2'."),
    ],
)
def test_an_ini_setting_with_a_wrong_value_is_refused(
    project: MeasuredProject, name: str, value: str, sentence: str
) -> None:
    project.ini(**{name: value})
    project.tests(MEASURED)
    result = project.pytester.runpytest_inprocess()
    assert_refused(result, f"{name} in pytest.ini {sentence}")


def test_a_wrong_ini_setting_does_not_trouble_tests_that_are_not_measured(project: MeasuredProject) -> None:
    project.ini(whq_rounds="many")
    project.tests("def test_other(): pass")
    project.pytester.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("cap", "sentence"),
    [
        ("0.05", "--whq-max 0.05 must be METRIC=VALUE, such as wh_per_query=0.05."),
        ("wh_per_query=", "--whq-max wh_per_query=: wh_per_query must be a number of Wh above 0, not ''."),
        ("j_per_token=-1", "--whq-max j_per_token=-1: j_per_token must be a number of J above 0, not -1.0."),
        (
            "wh_per_qery=1",
            (
                "--whq-max wh_per_qery=1: there is no 'wh_per_qery' (did you mean wh_per_query?), only "
                f"{', '.join(METRICS)}."
            ),
        ),
    ],
)
def test_a_cap_that_means_none_is_refused(project: MeasuredProject, cap: str, sentence: str) -> None:
    project.tests(MEASURED)
    assert_refused(project.run(f"--whq-max={cap}"), sentence)
    project.ini(whq_max=cap)
    assert_refused(project.run(), sentence)


def test_a_source_that_nobody_offers_is_refused(project: MeasuredProject) -> None:
    known = "auto, nvml, rapl, hwmon, amdsmi, zeus, estimate, scripted, dcgm:URL, redfish:URL, prometheus:URL"
    sentence = f"There is no power source 'nvlm' (did you mean nvml?): there are {known}."
    project.tests("def test_other(): pass")
    assert_refused(project.run("--whq-source=nvlm"), sentence)
    project.ini(whq_source="nvlm")
    project.pytester.runpytest_inprocess().assert_outcomes(passed=1)
    project.tests(MEASURED)
    assert_refused(project.run(), sentence)


def test_only_and_skip_together_are_refused(project: MeasuredProject) -> None:
    sentence = "whq_only and whq_skip together leave no test to run: give one of them."
    assert_refused(project.run("--whq-only", "--whq-skip"), sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "[[tool.whq.budgets]]\nwh_per_qery = 1",
            (
                "pyproject.toml, budgets[0]: there is no 'wh_per_qery' (did you mean "
                "wh_per_query?), only tests, "
                f"{', '.join(METRICS)}, max_regression, max_failed, hardware, estimate."
            ),
        ),
        (
            "[tool.whq]\nbudget = 1",
            "pyproject.toml, tool.whq: there is no 'budget' (did you mean budgets?), only budgets.",
        ),
        (
            "[[tool.whq.budgets]]\nwh_per_query = 0",
            "pyproject.toml, budgets[0]: wh_per_query must be a number of Wh above 0, not 0.",
        ),
    ],
)
def test_a_budget_in_pyproject_that_cannot_be_used_is_refused(
    project: MeasuredProject, content: str, sentence: str
) -> None:
    project.pytester.makepyprojecttoml(content)
    project.tests(MEASURED)
    assert_refused(project.run(), sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[[budgets]\n", "whq.toml is not valid TOML: *."),
        (b"# \xe9\n", "whq.toml is not UTF-8 text (invalid continuation byte). Save it as UTF-8."),
        (b"budgets = 3\n", "whq.toml: budgets must be an array of tables, each under [[][[]budgets]]."),
    ],
)
def test_a_budget_file_that_cannot_be_read_is_refused(
    project: MeasuredProject, content: bytes, sentence: str
) -> None:
    (project.path / "whq.toml").write_bytes(content)
    project.tests(MEASURED)
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}", ""], consecutive=True)


def test_a_report_that_cannot_be_written_there_is_refused_at_the_start(project: MeasuredProject) -> None:
    project.tests(MEASURED)
    run = project.pytester.runpytest_inprocess
    (project.path / "file").touch()
    refused = f"cannot be 'file/run.json': {project.path}/file is no folder."
    assert_refused(run("--whq-json=file/run.json"), f"--whq-json {refused}")
    assert_refused(run("--whq-json=."), "--whq-json cannot be '.': it is a folder.")
    what = "that is no file, and whq show --format prints to standard output"
    read = "the session reads it"
    (project.path / "link.json").symlink_to(project.path / "whq-baseline.json")
    assert_refused(run("--whq-json=link.json"), "--whq-json cannot be 'link.json': it is the baseline.")
    assert_refused(run("--whq-csv=whq.toml"), f"--whq-csv cannot be 'whq.toml': {read}.")
    assert_refused(run("--whq-html=test_it.py", "test_it.py"), f"--whq-html cannot be 'test_it.py': {read}.")
    (project.path / "tokenizer.json").write_text("{}")
    refused_by_reading = f"--whq-json cannot be 'tokenizer.json': {read}."
    assert_refused(run("--whq-json=tokenizer.json", "--whq-tokenizer=tokenizer.json"), refused_by_reading)
    kept = "it is a .py file that is there, and no report"
    assert_refused(run("--whq-html=test_it.py"), f"--whq-html cannot be 'test_it.py': {kept}.")
    assert_refused(run("--whq-markdown=-"), f"--whq-markdown cannot be '-': {what}.")
    project.ini(whq_json="file/run.json")
    assert_refused(run(), f"whq_json in pytest.ini {refused}")


def test_a_setting_on_the_command_line_is_called_by_its_name(project: MeasuredProject) -> None:
    project.tests(MEASURED)
    (project.path / "pytest.ini").unlink()
    result = project.pytester.runpytest_inprocess("-o", "whq_rounds=many", "-p", "no:asyncio")
    assert_refused(result, "whq_rounds must be a whole number of at least 1, not 'many'.")


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest reads such tables since 9.0")
def test_a_toml_setting_may_be_a_number_or_true_without_quotes(project: MeasuredProject) -> None:
    (project.path / "pytest.ini").unlink()
    project.pytester.makepyprojecttoml(
        """
        [tool.pytest]
        asyncio_default_fixture_loop_scope = "function"
        whq_source = "scripted"
        whq_rounds = 3
        whq_max_seconds = 0.5
        whq_budget = true
        whq_idle_ok = true
        whq_max = ["wh_per_query=0.11"]
        """
    )
    project.tests(
        """
        def test_chat(whq, client):
            whq(client.chat, "Say hi.")
            assert client.calls == 4
        """
    )
    project.run().assert_outcomes(passed=1)
    with (project.path / "pyproject.toml").open("a") as file:
        file.write("\nwhq_disable = 3\n")
    assert_refused(project.run(), "whq_disable in pyproject.toml must be true or false, not 3.")


def test_a_settings_error_spares_the_report_of_the_run_before(project: MeasuredProject) -> None:
    project.tests(MEASURED)
    project.run().assert_outcomes(passed=1)
    before = project.stored
    (project.path / "whq.toml").write_text("[[budgets]]\n", "utf-8")
    assert project.run().ret == pytest.ExitCode.USAGE_ERROR
    assert project.stored == before


def test_measuring_longer_than_at_most_is_refused(project: MeasuredProject) -> None:
    assert_refused(
        project.run("--whq-min-seconds=10", "--whq-max-seconds=5"),
        "--whq-min-seconds is 10, above --whq-max-seconds, which is 5: lower the one or raise the other.",
    )
    project.ini(whq_max_seconds=None)
    assert_refused(
        project.run("--whq-min-seconds=50"),
        "--whq-min-seconds is 50, above max_seconds, which is 30 unless it is given: "
        "lower the one or raise the other.",
    )
    project.tests("import pytest\n\n@pytest.mark.whq(min_seconds=3, max_seconds=2)" + MEASURED)
    marker = "test_it.py::test_chat: the whq marker"
    assert_refused(
        project.run(),
        f"{marker}: min_seconds is 3, above {marker}: max_seconds, which is 2: "
        "lower the one or raise the other.",
    )
