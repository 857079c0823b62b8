"""A stand-in for GitHub that runs the steps of the action, and keeps what they leave there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ACTION = Path(__file__).parents[1]

_GH = """#!{python}
import json, pathlib, sys
store = pathlib.Path({store!r})
comments = json.loads(store.read_text())
arguments = sys.argv[1:]
assert arguments[0] == "api"
if "--paginate" in arguments:
    for number, body in enumerate(comments, start=1):
        print(number, body.splitlines()[0], sep="\\t")
    sys.exit()
(field,) = (one for one in arguments if one.startswith("body=@"))
body = pathlib.Path(field.removeprefix("body=@")).read_text()
if "POST" in arguments:
    comments.append(body)
else:
    assert "PATCH" in arguments
    comments[int(arguments[arguments.index("PATCH") + 1].rpartition("/")[2]) - 1] = body
store.write_text(json.dumps(comments))
"""
"""The command ``gh``, with as much of the interface as the action uses: all comments are a bot's."""


class GitHub:
    """What the jobs of a pull request share: comments, caches and artifacts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.caches: dict[str, bytes] = {}
        self.artifacts: dict[str, list[str]] = {}
        self._store = folder / "comments.json"
        self._store.write_text("[]")
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "gh").write_text(_GH.format(python=sys.executable, store=str(self._store)))
        (self.bin / "gh").chmod(0o755)

    @property
    def comments(self) -> list[str]:
        """The comments on the pull request."""
        comments: list[str] = json.loads(self._store.read_text())
        return comments


@dataclass
class Job:
    """One job that uses the action in a checkout; ``log`` and ``summary`` are what it showed."""

    github: GitHub
    checkout: Path
    event: Mapping[str, Any]
    inputs: dict[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    failed: bool = False
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, **inputs: str) -> "Job":
        """Run the steps of the action with these inputs."""
        action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
        for name, one in action["inputs"].items():
            self.inputs[name] = inputs.pop(name.replace("-", "_"), "") or self._text(one.get("default", ""))
        assert not inputs
        for step in action["runs"]["steps"]:
            condition = step.get("if", "success()")
            wanted = self._value(condition if "always()" in condition else f"success() && ({condition})")
            if wanted:
                self._step(step)
        return self

    def _step(self, step: Mapping[str, Any]) -> None:
        given = {name: self._text(value) for name, value in step.get("with", {}).items()}
        match step.get("uses", "").partition("@")[0]:
            case "":
                self._shell(step)
            case "actions/cache/restore":
                prefix = given["restore-keys"]
                found = [key for key in self.github.caches if key == given["key"] or key.startswith(prefix)]
                if found:
                    (self.checkout / given["path"]).write_bytes(self.github.caches[found[-1]])
            case "actions/cache/save":
                self.github.caches[given["key"]] = (self.checkout / given["path"]).read_bytes()
            case "actions/upload-artifact":
                name = given["name"]
                assert name not in self.github.artifacts, "GitHub refuses an artifact of a name that is taken"
                self.github.artifacts[name] = sorted(path.name for path in Path(given["path"]).iterdir())
                self.outputs[step["id"]] = {"artifact-url": f"https://github.test/artifacts/{name}"}

    def _shell(self, step: Mapping[str, Any]) -> None:
        output, summary = self.github.folder / "output", self.github.folder / "summary"
        output.write_text("")
        summary.write_text("")
        own = {name: self._text(value) for name, value in step.get("env", {}).items()}
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": "owner/project",
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(self.checkout),
            "PATH": f"{self.github.bin}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.github.folder),
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.checkout,
            env={**os.environ, **self.environment, **runner, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log += done.stdout
        self.summary += summary.read_text()
        self.failed = self.failed or done.returncode != 0
        if "id" in step:
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _text(self, template: object) -> str:
        """A value of the action, with what its expressions stand for."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _shown(self._value(found[1])), str(template))

    def _value(self, expression: str) -> object:
        """The value of an expression, of what the action uses of their language."""
        python = re.sub(r"'[^']*'|&&|\|\||[A-Za-z_][\w.-]*", self._in_python, expression)
        functions = {
            "context": self._context,
            "always": lambda: True,
            "success": lambda: not self.failed,
            "format": lambda text, *values: text.format(*values),
        }
        return eval(python.strip(), {"__builtins__": {}}, functions)

    def _in_python(self, found: "re.Match[str]") -> str:
        word = found[0]
        if word in ("&&", "||"):
            return {"&&": " and ", "||": " or "}[word]
        if word.startswith("'") or word in ("always", "success", "format"):
            return word
        return f"context({word!r})"

    def _context(self, name: str) -> object:
        known: Any = {
            "github": {"token": "secret", "run_id": str(id(self)), "run_attempt": "1", **self.event},
            "runner": {"os": "Linux"},
            "inputs": self.inputs,
            "steps": {step: {"outputs": outputs} for step, outputs in self.outputs.items()},
        }
        for part in name.split("."):
            known = known.get(part, "") if isinstance(known, Mapping) else ""
        return known


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
