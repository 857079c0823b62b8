"""The metrics as OpenMetrics text, such as a GitLab metrics report and Prometheus read."""

from pytest_whq.model import METRICS, Run
from pytest_whq.rendering.words import one_line


def render(run: Run) -> str:
    """A gauge for each metric of `METRICS`, with a sample for each test where it stands."""
    tests = [(_label(record.test), record.measurement) for record in run.records]
    lines = []
    for metric in METRICS:
        samples = [
            f'whq_{metric}{{test="{test}"}} {value!r}'
            for test, measurement in tests
            if (value := measurement.metric(metric)) is not None and measurement.why_invalid(metric) is None
        ]
        if samples:
            unit = METRICS[metric].unit
            lines += [f"# TYPE whq_{metric} gauge", f"# HELP whq_{metric} {metric} in {unit}.", *samples]
    return "\n".join([*lines, "# EOF", ""])


def _label(text: str) -> str:
    return one_line(text).replace("\\", r"\\").replace('"', r"\"")
