"""The action as a whole, on a stand-in for GitHub: what a pull request and its reader get."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from measured_project import MeasuredProject
from repositories import QUICK, TEST, git, make_repository
from simulated_nvml import SimulatedNvml

pytest.importorskip("yaml")

from github_job import GitHub, Job

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(shutil.which("bash") is None, reason="the action runs in bash"),
]

REPOSITORY = {"default_branch": "main"}
PULL_REQUEST = {
    "event_name": "pull_request",
    "base_ref": "main",
    "ref_name": "7/merge",
    "event": {"repository": REPOSITORY, "pull_request": {"number": 7}},
}
PUSH = {"event_name": "push", "base_ref": "", "ref_name": "main", "event": {"repository": REPOSITORY}}


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    folder = tmp_path / "github"
    folder.mkdir()
    return GitHub(folder)


def test_a_pull_request_that_doubles_the_load_is_told_once(
    tmp_path: Path, simulated_nvml: SimulatedNvml, github: GitHub
) -> None:
    checkout = make_repository(tmp_path / "checkout")
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    (checkout / "chat.py").write_text("WATTS = 400\n")
    with (checkout / "pyproject.toml").open("a") as settings:
        settings.write('whq_markdown = "of_one_run.md"\n')
    git(checkout, "commit", "--quiet", "-am", "twice the load")
    job = Job(github, checkout, PULL_REQUEST, environment=simulated_nvml.env())
    job.run(mode="ab", pairs="2", python=sys.executable, pytest_args=" ".join(["tests", *QUICK]))

    assert job.failed, job.log
    (comment,) = github.comments
    assert comment.startswith("<!-- pytest-whq report -->\n### ❌ Energy: 1 regressed\n")
    assert comment.count("| ❌&nbsp;**regressed** | `test_chat.py::test_chat` | ") == 1
    assert github.artifacts == {"whq-report": ["report.html", "report.md", "run.json"]}
    link = "[The report as a page, and its run file](https://github.test/artifacts/whq-report)"
    assert comment.endswith(f"{link}\n")
    assert job.summary == comment
    assert not (checkout / "of_one_run.md").exists()
    line = TEST.splitlines().index("def test_chat(whq):") + 1
    (annotation,) = (said for said in job.log.splitlines() if said.startswith("::"))
    assert annotation.startswith(f"::error file=tests/test_chat.py,line={line},title=Energy%3A regressed::")


CHAT = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.", seconds={})
"""


def test_the_legs_of_a_matrix_leave_comments_caches_and_artifacts_of_their_own(
    project: MeasuredProject, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    baseline = project.path / "whq-baseline.json"
    for event, seconds in ((PUSH, {"h100": 1.0, "b200": 2.0}), (PULL_REQUEST, {"h100": 1.5, "b200": 2.0})):
        github.artifacts.clear()  # Of another run of the workflow.
        jobs = {}
        for name, duration_s in seconds.items():
            baseline.unlink(missing_ok=True)  # Each job has a checkout of its own.
            project.tests(CHAT.format(duration_s))
            jobs[name] = Job(github, project.path, event).run(name=name, python=sys.executable)
        assert sorted(github.artifacts) == ["whq-report-b200", "whq-report-h100"]

    assert [key.split("/")[2] for key in github.caches] == ["h100", "b200"]
    assert [job.failed for job in jobs.values()] == [True, False], jobs["b200"].log
    first, second = github.comments
    assert first.startswith("<!-- pytest-whq report: h100 -->\n### ❌ Energy of h100: 1 regressed\n")
    assert second.startswith("<!-- pytest-whq report: b200 -->\n### ✅ Energy of b200: 1 measured\n")

    github.artifacts.clear()
    baseline.unlink()
    project.tests(CHAT.format(1.0))
    Job(github, project.path, PULL_REQUEST).run(name="h100", python=sys.executable)
    assert [comment.splitlines()[1] for comment in github.comments] == [
        "### ✅ Energy of h100: 1 measured",
        "### ✅ Energy of b200: 1 measured",
    ]


def test_a_mode_that_there_is_not_fails_and_says_so(tmp_path: Path, github: GitHub) -> None:
    job = Job(github, tmp_path, PULL_REQUEST).run(mode="abba", python=sys.executable)
    assert job.failed
    assert "mode is abba, but must be baseline or ab." in job.log
    assert (github.comments, job.summary) == ([], "")
