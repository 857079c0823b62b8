"""Says what keeps the packages in `dist/` from being published, one sentence a line; 1 where anything does.

    python .ci/check_release.py [TAG]

With the tag of a release, version, changelog and repository must be those of the release, too.
"""

import os
import re
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

_GATHER = "run towncrier build and commit that before you tag."


def main(arguments: list[str]) -> int:
    """Look at `dist/` here, for the release of the tag in ``arguments`` if one is there."""
    metadata = _metadata(Path("dist"))
    found = list(_broken_links(metadata))
    for tag in arguments:
        found += _not_the_release(metadata, tag)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def _metadata(dist: Path) -> Message:
    """What the one wheel says of itself."""
    (wheel,) = dist.glob("*.whl")
    with ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(files.read(name))


def _broken_links(metadata: Message) -> Iterator[str]:
    payload = metadata.get_payload(decode=True)
    page = payload.decode() if isinstance(payload, bytes) else ""
    if not page.strip():
        yield "The package page is empty: pyproject.toml must name README.md."
    for target in re.findall(r"\]\((?!https://|#)([^)]*)\)", page):
        yield f"The package page links to {target!r}, which is not there: links must begin with https://."


def _not_the_release(metadata: Message, tag: str) -> Iterator[str]:
    version = metadata["Version"]
    if tag != f"v{version}":
        yield f"The tag is {tag}, but pytest_whq/version.py says {version}: mend it, or tag v{version}."
    changelog = Path("CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## {re.escape(version)} \(", changelog, re.MULTILINE):
        yield f"CHANGELOG.md has nothing of {version}: {_GATHER}"
    if left := sorted(path.name for path in Path("changes").glob("*.md")):
        yield f"changes/ still holds {', '.join(left)}: {_GATHER}"
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        home = f"https://github.com/{repository}"
        for url in metadata.get_all("Project-URL", []):
            name, _, target = url.partition(", ")
            if not f"{target}/".startswith(f"{home}/"):
                yield f"project.urls.{name} in pyproject.toml is {target}, but the release is one of {home}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
