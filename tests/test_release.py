"""What must hold before packages are published: the check of the nox session build, and the workflow."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from readme_project import README, ROOT

WORKFLOW = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
HOME = "https://github.com/owner/project"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder that is ready for the release of 1.2.0."""
    (tmp_path / "changes").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0 (2026-11-25)\n")
    pack(tmp_path, "See [the docs](https://docs.example/) and [below](#below).")
    return tmp_path


def pack(folder: Path, page: str, url: str = HOME) -> None:
    """Put a wheel of 1.2.0 with this package page into the folder's dist/."""
    (folder / "dist").mkdir(exist_ok=True)
    with ZipFile(folder / "dist" / "project-1.2.0-py3-none-any.whl", "w") as wheel:
        head = f"Metadata-Version: 2.4\nName: project\nVersion: 1.2.0\nProject-URL: Issues, {url}/issues\n"
        wheel.writestr("project-1.2.0.dist-info/METADATA", f"{head}\n{page}\n")


def check(folder: Path, *tag: str) -> tuple[int, list[str]]:
    """The exit code of the script, and the sentences it has printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci/check_release.py"), *tag],
        cwd=folder,
        env={"GITHUB_REPOSITORY": "owner/project"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr.splitlines()


def test_what_is_ready_may_be_published(release: Path) -> None:
    assert check(release, "v1.2.0") == (0, [])


def test_a_tag_that_is_not_the_version_is_told(release: Path) -> None:
    assert check(release, "v1.3.0") == (
        1,
        ["The tag is v1.3.0, but pytest_whq/version.py says 1.2.0: mend it, or tag v1.2.0."],
    )


def test_a_changelog_that_was_not_made_is_told(release: Path) -> None:
    (release / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 1.1.0 (2026-10-25)\n\n- For 1.2.0 we plan more.\n"
    )
    (release / "changes" / "+more.feature.md").write_text("More.\n")
    assert check(release) == (0, [])
    assert check(release, "v1.2.0") == (
        1,
        [
            "CHANGELOG.md has nothing of 1.2.0: run towncrier build and commit that before you tag.",
            "changes/ still holds +more.feature.md: run towncrier build and commit that before you tag.",
        ],
    )


@pytest.mark.parametrize("url", ["https://github.com/OWNER/project", f"{HOME}-fork"])
def test_urls_of_another_repository_are_told(release: Path, url: str) -> None:
    pack(release, "A page.", url)
    assert check(release, "v1.2.0") == (
        1,
        [f"project.urls.Issues in pyproject.toml is {url}/issues, but the release is one of {HOME}."],
    )


def test_links_that_lead_nowhere_from_a_package_page_are_told(release: Path) -> None:
    pack(release, "See [the docs](docs/load.md).")
    assert check(release) == (
        1,
        ["The package page links to 'docs/load.md', which is not there: links must begin with https://."],
    )


def test_an_empty_package_page_is_told(release: Path) -> None:
    pack(release, "")
    assert check(release) == (1, ["The package page is empty: pyproject.toml must name README.md."])


def test_the_package_page_is_the_readme_with_links_to_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    assert hook["fragments"] == [{"path": "README.md"}]
    page = README
    for link in hook["substitutions"]:
        page = re.sub(link["pattern"], link["replacement"], page)
    pages = f"{project['project']['urls']['Repository']}/blob/v$HFPR_VERSION/"
    assert f"]({pages}docs/load.md)" in page
    assert "https://raw.githubusercontent.com/OWNER/pytest-whq/v$HFPR_VERSION/docs/report.png" in page
    assert re.findall(r"\]\((?!https://)[^)]*\)", page) == []


def test_only_the_job_that_publishes_may_speak_for_the_repository() -> None:
    before, publish = WORKFLOW.split("\n  publish:\n")
    assert "id-token: write" not in before
    assert "id-token: write" in publish
    assert "needs: [ci, build]" in publish
    assert "\n    environment:\n" in publish
