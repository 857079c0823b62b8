"""Make the picture of the README anew: the HTML report of its own tests, as headless Chromium shows it.

Needs ``chromium`` on the PATH and the package installed; to be run when the page looks otherwise.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/report.png"
SIZE = "1280,720"

sys.path.insert(0, str(ROOT / "tests"))


def main() -> int:
    """Measure the README's tests, and photograph their report."""
    from readme_project import CONFTEST, blocks

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tests").mkdir()
        (folder / "conftest.py").write_text(CONFTEST, "utf-8")
        (folder / "pyproject.toml").write_text(blocks("toml")[0], "utf-8")
        (folder / "tests/test_chat.py").write_text("\n\n".join(blocks("python")), "utf-8")
        page = folder / "whq.html"
        # One of the tests is over its budget, as on the page.
        subprocess.run([sys.executable, "-m", "pytest", "-q", f"--whq-html={page}"], cwd=folder, check=False)
        subprocess.run(
            [
                *("chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={SIZE}"),
                *(f"--screenshot={PICTURE}", page.as_uri()),
            ],
            check=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
