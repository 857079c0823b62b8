"""Files that are not what the plugin expects, or do not stay so."""

from collections.abc import Iterator

from faults.fault import Fault

FOLDER = """
import os, pathlib, shutil
CACHE = pathlib.Path(".pytest_cache")
JOURNALS = CACHE / "d/whq"
JOURNALS.parent.mkdir(parents=True)
"""
FOUND = {
    "journal-folder-is-a-file": "JOURNALS.write_text('')",
    "journal-folder-is-a-link-to-itself": "JOURNALS.symlink_to(JOURNALS.name)",
    "journal-folder-is-a-pipe": "os.mkfifo(JOURNALS)",
    "journals-are-folders": "[(JOURNALS / f'{n}.jsonl').mkdir(parents=True) for n in range(3)]",
    "report-is-a-dangling-link": "pathlib.Path('report.md').symlink_to('nowhere/report.md')",
    "report-is-a-folder-later": "def pytest_sessionfinish(): pathlib.Path('report.md').mkdir()",
    "cache-vanishes-at-the-end": "def pytest_sessionfinish(): shutil.rmtree(CACHE)",
}
MEANWHILE = {
    "cache-vanishes": "shutil.rmtree(CACHE)",
    "cache-becomes-a-file": "shutil.rmtree(CACHE); CACHE.write_text('')",
    "journal-vanishes": "[path.unlink() for path in JOURNALS.iterdir()]",
    "journal-becomes-a-folder": "[(one.unlink(), one.mkdir()) for one in JOURNALS.iterdir()]",
    "journal-becomes-a-link": "[(one.unlink(), one.symlink_to('/dev/full')) for one in JOURNALS.iterdir()]",
    "journal-is-filled": "[path.write_bytes(b'\\xff\\x00' * 999) for path in JOURNALS.iterdir()]",
    "test-file-vanishes": "os.remove(__file__)",
    "conftest-vanishes": "os.remove('conftest.py')",
    "ini-becomes-a-folder": "os.remove('pytest.ini'); os.mkdir('pytest.ini')",
}
FILES = {
    "report-into-a-full-disk": ("--whq-markdown=/dev/full",),
    "cache-is-a-file": ("-o", "cache_dir=taken"),
    "cache-is-a-link-to-itself": ("-o", "cache_dir=loop"),
    "base-temp-is-odd": ("--basetemp=base temp",),
    "csv-into-a-full-disk": ("--whq-csv=/dev/full",),
    "html-into-a-full-disk": ("--whq-html=/dev/full",),
    "openmetrics-into-a-full-disk": ("--whq-openmetrics=/dev/full",),
    "cache-is-below-a-device": ("-o", "cache_dir=/dev/full/whq"),
    "cache-is-in-proc": ("-o", "cache_dir=/proc/whq"),
    "baseline-is-a-link-to-itself": ("--whq-update-baseline", "--whq-baseline=loop"),
    "report-is-a-link-to-itself": ("--whq-html=loop",),
    "report-is-nothing": ("--whq-csv=/dev/null",),
}


def files() -> Iterator[Fault]:
    """What stands where the plugin writes, before the session and in the midst of it."""
    for name, code in FOUND.items():
        report = ("--whq-markdown=report.md",) if name.startswith("report") else ()
        yield Fault(f"files-{name}", conftest=f"{FOLDER}{code}", options=report)
    for name, options in FILES.items():
        yield Fault(f"pytest-{name}", options=options)
    for name, code in MEANWHILE.items():
        yield Fault(f"files-{name}", conftest=FOLDER, body=code)
