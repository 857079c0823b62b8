"""Passwords and tokens of monitoring are in nothing that a session prints or writes."""

import pytest
from http_answers import Answer, answering
from measured_project import MeasuredProject

ONE_CALL = """
def test_chat(whq, client):
    with whq.measure() as window:
        window.record(client.chat("Say hi.", seconds=0.01))
"""

EXPORTED = """
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-of-a-rack",modelName="NVIDIA GB200",Hostname="node-1"} 400
"""

REPORTS = {name: f"whq.{name}" for name in ("markdown", "html", "csv", "openmetrics")}


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("kind", ["dcgm", "prometheus"])
def test_no_secret_is_shown(
    project: MeasuredProject, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    asked: list[str | None] = []

    def answer(path: str, headers: dict[str, str]) -> Answer:
        asked.append(headers.get("Authorization"))
        return Answer(EXPORTED, status)

    project.tests(ONE_CALL)
    with answering(answer) as address:
        source = f"{kind}:{address.replace('http://', 'http://me:s3cret@')}?key=s3cret"
        project.ini(whq_source=source)
        reports = [f"--whq-{name}={path}" for name, path in REPORTS.items()]
        result = project.run("-v", "--junitxml=junit.xml", *reports)
    result.assert_outcomes(passed=1)
    assert set(asked) == {"Basic bWU6czNjcmV0"}
    told = project.records["test_chat"]["why"]
    assert (project.stored["rig"]["source"] == "dcgm") == ((kind, status) == ("dcgm", 200)), told
    written = [path for path in project.path.rglob("*") if path.is_file() and path.name != "pytest.ini"]
    assert {*REPORTS.values(), "run.json", "junit.xml"} <= {path.name for path in written}
    for shown in (
        str(result.stdout),
        str(result.stderr),
        *(p.read_text("utf-8", "replace") for p in written),
    ):
        assert "s3cret" not in shown
        assert "czNjcmV0" not in shown
