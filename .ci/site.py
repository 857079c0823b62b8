"""What the site shows beside the pages of docs/: the README as its first page."""

import re
import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?://|#)([^)]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Tell where the repository is, as the package's own page does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    config.repo_url, config.repo_name = project["urls"]["Repository"], project["name"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, whose links lead from the root of the repository."""
    text = LINK.sub(lambda link: f"]({_from_docs(link[1], config)})", (ROOT / "README.md").read_text("utf-8"))
    files.append(File.generated(config, "index.md", content=text))
    return files


def _from_docs(target: str, config: MkDocsConfig) -> str:
    inside = target.removeprefix("docs/")
    return inside if inside != target else f"{config.repo_url}/blob/main/{target}"
