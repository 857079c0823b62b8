"""The commands that judge runs: check, compare, accept."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli import ab as measuring
from pytest_whq.cli.console import add_table, complain, load, load_all, say
from pytest_whq.cli.outputs import add_report, check_report, report
from pytest_whq.cli.rules import add_rules, entries_of, rules_of
from pytest_whq.errors import SettingError

if TYPE_CHECKING:
    from pytest_whq.judging.budget_file import BudgetEntry
    from pytest_whq.judging.run_comparison import Findable
    from pytest_whq.model import Comparison, Device, Record, Run


def check_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq check`` takes."""
    parser.add_argument("file", metavar="RUN", type=Path, help="a run file")
    add_table(parser)
    parser.add_argument(
        "--budgets", metavar="FILE", type=Path, help="pyproject.toml, or a file such as whq.toml"
    )
    parser.add_argument("--baseline", metavar="PATH", type=Path, help="judge regressions from this baseline")
    add_rules(parser)
    add_report(parser)


def check(options: argparse.Namespace) -> int:
    """Judge a stored run by budgets, by a baseline or by both; 1 where a verdict fails, or there is none."""
    from pytest_whq.judging.budgets import failing_sentence
    from pytest_whq.judging.gaps import with_missing_tests, with_unjudged
    from pytest_whq.judging.policies import WHERE_NAMED
    from pytest_whq.judging.run_comparison import compare_run, findable_in
    from pytest_whq.storing.baseline_file import read_baseline

    if options.budgets is None and options.baseline is None:
        raise SettingError("whq check needs --budgets, --baseline or both (see whq check --help).")
    stored = load(options.file)
    findable: Findable = {}
    run = _judged(stored, () if options.budgets is None else entries_of(options.budgets))
    if options.baseline is not None:
        baseline, rules = read_baseline(options.baseline), rules_of(options)
        run = WHERE_NAMED.applied_to(compare_run(run, baseline, rules))
        run = with_missing_tests(run, baseline.tests, "not_in_run")
        findable = findable_in(run, baseline, rules.noise)
    failing = [
        f"{record.test}: "
        f"{failing_sentence(verdict, record.measurement, _devices(run, record), run.rig.source)}"
        for record in run.records
        for verdict in record.budgets
        if verdict.fails
    ]
    sentences = list(failing)
    judged = any(map(_has_verdict, run.records))
    budgeted = any(record.budgets for record in run.records)
    if not judged:
        run = with_unjudged(run, "Nothing was judged", *_why_unjudged(options))
    elif (
        options.budgets is not None and not budgeted and not any(g.kind == "unused_budget" for g in run.gaps)
    ):
        sentences.append(f"No budget in {options.budgets} is for a test in {options.file}.")
    regressed = _regressed(run)
    sentences += _comparison_sentences(run, regressed, findable, _left_out([stored]))
    report(run, sentences, options)
    return 1 if failing or regressed or not judged else 0


def _has_verdict(record: "Record") -> bool:
    """Whether there is a verdict on a test, be it that it is new or that it is too noisy to tell."""
    compared = record.comparison
    is_new = compared is not None and compared.is_new and record.measurement.why_incomparable is None
    return is_new or record.is_judged or (compared is not None and compared.change is not None)


def _why_unjudged(options: argparse.Namespace) -> Iterator[str]:
    if options.budgets is not None:
        yield f"no budget in {options.budgets} applies to what was measured"
    if options.baseline is not None:
        yield f"what was measured is not comparable with {options.baseline}"


def _judged(run: "Run", entries: "Sequence[BudgetEntry]") -> "Run":
    """``run`` judged by ``entries`` alone: what its session said of it fails nothing here."""
    from dataclasses import replace

    from pytest_whq.judging.budgets import judge_budgets
    from pytest_whq.judging.gaps import unused_entries
    from pytest_whq.model.gaps import RAN

    budgets = [budget for entry in entries for budget in entry.budgets]
    unused = unused_entries(entries, [record.test for record in run.records])
    gaps = (*(gap for gap in run.gaps if gap.kind in RAN), *unused)
    records = (
        replace(
            record,
            budgets=judge_budgets(record.test, record.measurement, _devices(run, record), file=budgets),
            comparison=None,
        )
        for record in run.records
    )
    return replace(run, records=tuple(records), gaps=gaps)


def _devices(run: "Run", record: "Record") -> "tuple[Device, ...]":
    return run.rig.of_devices(record.measurement.device_ids).devices


def _regressed(run: "Run") -> "dict[str, tuple[Comparison, float | None]]":
    """Test -> its comparison, and the figure that was compared, of each test that fails by it."""
    return {
        record.test: (found, record.measurement.metric(found.metric))
        for record in run.records
        if (found := record.comparison) is not None and found.fails
    }


def _left_out(runs: "Sequence[Run]") -> dict[str, str]:
    """Why a baseline would not take tests of ``runs`` as they are stored."""
    from pytest_whq.model.baseline import why_left_out

    return {record.test: why for run in runs for record in run.records if (why := why_left_out(record))}


def _comparison_sentences(
    run: "Run",
    regressed: "Mapping[str, tuple[Comparison, float | None]]",
    findable: "Findable",
    left_out: Mapping[str, str],
) -> Iterator[str]:
    """What comparisons say beside the table, and could say."""
    from pytest_whq.judging.policies import WHERE_NAMED, regression_sentence, warning_lines
    from pytest_whq.rendering.findable import summary

    yield from warning_lines(run.records, WHERE_NAMED, left_out)
    for test, (comparison, value) in regressed.items():
        yield f"{test}: {regression_sentence(comparison, value)}"
    if (line := summary(findable)) is not None:
        yield line


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq compare`` takes before its ``--``."""
    parser.usage = (
        "whq compare [-h] [-v] [options] BASE... -- HEAD...\n       whq compare [--format F] RUN RUN..."
    )
    parser.add_argument(
        "bases",
        metavar="BASE",
        nargs="+",
        type=Path,
        help="run files, or baselines, to compare with; without -- side by side",
    )
    _add_comparing(parser)


def _add_comparing(parser: argparse.ArgumentParser) -> None:
    add_table(parser)
    parser.add_argument(
        "--budgets", metavar="FILE", type=Path, help="take each test's max_regression from here"
    )
    add_rules(parser)
    add_report(parser)


def compare(options: argparse.Namespace) -> int:
    """Compare runs with runs, 1 where a test regressed; or set several side by side, which judges nothing."""
    if not options.after_dashes:
        from pytest_whq.cli.side_by_side import side_by_side

        return side_by_side(options)
    if (option := next((one for one in options.after_dashes if one.startswith("-")), None)) is not None:
        raise SettingError(
            f"{option} goes before --, behind which there are runs: whq compare BASE... -- HEAD..."
        )
    bases = [run for path in options.bases for run in load_all(path)]
    heads = [run for path in options.after_dashes for run in load_all(Path(path))]
    return _tell_comparison(bases, heads, options)


def ab_arguments(parser: argparse.ArgumentParser) -> None:
    measuring.ab_arguments(parser)
    _add_comparing(parser)


def ab(options: argparse.Namespace) -> int:
    """Measure a base commit and the working tree in turns and compare them; 1 where a test regressed."""
    from pytest_whq.judging.run_comparison import compare_runs, suspects

    check_report(options)
    rules = rules_of(options)
    options.suspects = lambda bases, heads: suspects(compare_runs(bases, heads, rules))
    bases, heads = measuring.measure_in_turns(options)
    return _tell_comparison(bases, heads, options)


def _tell_comparison(bases: Sequence["Run"], heads: Sequence["Run"], options: argparse.Namespace) -> int:
    from pytest_whq.judging.gaps import with_unjudged
    from pytest_whq.judging.policies import WHERE_NAMED
    from pytest_whq.judging.run_comparison import compare_runs, findable_between

    rules = rules_of(options)
    compared = WHERE_NAMED.applied_to(compare_runs(bases, heads, rules))
    regressed, findable = _regressed(compared), findable_between(bases, heads, rules)
    comparisons = [record.comparison for record in compared.records if record.comparison]
    sentences = list(_comparison_sentences(compared, regressed, findable, _left_out(heads)))
    if comparisons and all(comparison.is_unchanged for comparison in comparisons):
        sentences.append("no change")
    nothing = all(comparison.change is None for comparison in comparisons)
    if nothing:
        why = "no test has a valid figure on both sides"
        compared = with_unjudged(compared, "Nothing was compared", why)
    report(compared, sentences, options)
    return 1 if regressed or nothing else 0


def accept_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq accept`` takes."""
    parser.add_argument("files", metavar="RUN", nargs="*", help="run files; default: the last session")
    parser.add_argument(
        "--baseline",
        metavar="PATH",
        type=Path,
        help="default: whq-baseline.json",
    )


def accept(options: argparse.Namespace) -> int:
    """Accept runs into a baseline; 1 where there is none then, since nothing could be accepted."""
    from pytest_whq.rendering import acceptance
    from pytest_whq.storing.baseline_file import FILE_NAME, update_baseline

    path = options.baseline or Path(FILE_NAME)
    runs = [run for path in options.files for run in load_all(Path(path))] or [load(None)]
    say(acceptance.render(update_baseline(path, runs), str(path)))
    if path.exists():
        return 0
    complain(f"{path} is not made: there is no test that it could take.")
    return 1
