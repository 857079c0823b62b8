"""What becomes of a document from outside, from its bytes to every output: refused, or all goes well."""

import json
from collections.abc import Callable, Mapping

from pytest_whq.errors import WhqError
from pytest_whq.history.change_points import change_points
from pytest_whq.history.series import series_of
from pytest_whq.judging.budget_file import parse_budgets
from pytest_whq.judging.budgets import judge_budgets
from pytest_whq.judging.policies import Policies, regression_sentence, warning_lines
from pytest_whq.judging.run_comparison import Rules, compare_run, compare_runs, findable_by
from pytest_whq.model import Run
from pytest_whq.model.baseline import Baseline, accept
from pytest_whq.model.baseline_runs import latest_of, runs_in
from pytest_whq.rendering import EXPORTS, RENDERERS, acceptance, findable, github, junit, terminal
from pytest_whq.rendering.history import page, table
from pytest_whq.storing.baseline_file import baseline_as_json, baseline_from_dict
from pytest_whq.storing.files import parse_json
from pytest_whq.storing.history_file import history_as_json, history_from_dict
from pytest_whq.storing.runfile import run_as_json, run_from_dict
from pytest_whq.tokens import read_queries, unreadable


def run_file(data: bytes) -> None:
    """Read it, render it in every format, compare it with itself and accept it."""
    run = run_from_dict(parse_json(data, "run.json"), "run.json")
    # What stands twice, such as a reason, is written once.
    written = run_as_json(run)
    assert run_as_json(run_from_dict(parse_json(written.encode(), "again"), "again")) == written
    render(run)
    accepted = accept(Baseline({}), run)
    acceptance.render(accepted, "whq-baseline.json")
    baseline_file(baseline_as_json(accepted.baseline).encode())
    render(compare_run(run, accepted.baseline, Rules()))
    render(compare_runs([run], [run], Rules()))


def baseline_file(data: bytes) -> None:
    """Read it, write it again, show it as a run, and tell what it could find."""
    baseline = baseline_from_dict(parse_json(data, "whq-baseline.json"), "whq-baseline.json")
    again = parse_json(baseline_as_json(baseline).encode(), "again")
    assert baseline_from_dict(again, "again") == baseline
    if runs := runs_in(baseline):
        render(latest_of(runs))
    found = findable_by(baseline, Rules(), 3)
    findable.summary(found)
    findable.table({3: found}, dict.fromkeys(baseline.tests, 1))


def history_file(data: bytes) -> None:
    """Read it, write it again, and show it as a table and as a page."""
    run = history_from_dict(parse_json(data, "kept.json"), "kept.json")
    again = parse_json(history_as_json(run).encode(), "again")
    assert history_from_dict(again, "again") == run
    found = series_of([run, run, run] * 2, detector=change_points(0.01))
    for text in (table.render([run], found, verbosity=1), page.render([run], found)):
        text.encode("utf-8")


def budget_file(data: bytes) -> None:
    """Read it as both kinds of file."""
    for name in ("whq.toml", "pyproject.toml"):
        parse_budgets(data.decode("utf-8", errors="replace"), name)


def reply(data: bytes) -> None:
    """Count the tokens of what a server may have sent."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = data.decode("utf-8", errors="replace")
    for sent in (value, [value], data):
        read_queries(sent)
        assert "\n" not in unreadable(sent)


KINDS: Mapping[str, Callable[[bytes], None]] = {
    "run file": run_file,
    "baseline": baseline_file,
    "history": history_file,
    "budget file": budget_file,
    "reply": reply,
}


def exercise(kind: str, data: bytes) -> bool:
    """Whether ``data`` was accepted; anything that is raised, but a sentence that refuses it, is a fault."""
    try:
        KINDS[kind](data)
    except WhqError:
        return False
    return True


def render(run: Run) -> None:
    """Let every renderer show ``run``, and be judged as budgets judge."""
    for renderer in (RENDERERS | EXPORTS).values():
        renderer(run).encode("utf-8")
        renderer(run, "test").encode("utf-8")
    for verbosity in (-1, 0, 2):
        terminal.render(run, verbosity=verbosity, width=100).encode("utf-8")
    github.render(run)
    list(warning_lines(run.records, Policies()))
    for record in run.records:
        junit.properties(record, run.rig.source)
        judge_budgets(record.test, record.measurement, run.rig.devices)
        if (compared := record.comparison) is not None:
            regression_sentence(compared, record.measurement.metric(compared.metric))
