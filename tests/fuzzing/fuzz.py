"""Atheris against the readers of files and replies, and against all that shows what they accept.

``nox -s fuzz`` runs it for a minute, or with the options of libFuzzer that follow ``--``.
"""

import json
import random
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["pytest_whq"]):
    from exercise import KINDS, exercise
    from mutations import KINDS_OF_FILES, mutant, seeds

DOCUMENTS = seeds()
NAMES = sorted(KINDS)


def target(data: bytes) -> None:
    """The first byte chooses what the rest is: a kind of file as it stands, or changes of a whole one."""
    if not data:
        return
    kind, rest = NAMES[data[0] % len(NAMES)], data[1:]
    if kind in KINDS_OF_FILES and data[0] >= 64:
        chance = random.Random(rest)
        rest = mutant(chance.choice(DOCUMENTS[kind]), chance)
    elif kind == "reply" and data[0] >= 64:
        provider = atheris.FuzzedDataProvider(rest)
        rest = json.dumps({"usage": provider.ConsumeUnicode(64), "choices": provider.ConsumeInt(8)}).encode()
    exercise(kind, rest)


atheris.Setup(sys.argv, target)
atheris.Fuzz()
