"""The names of imported results: where several have the same, each says in what they differ."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_whq.importing.result import Result
from pytest_whq.model.imported import Setup

_COMMIT = 10
"""So many characters of a commit tell it from others."""

_LAST = ("image", "commit", "isl", "osl", "date")
"""What is told only where nothing else differs, in this order: lengths may be what came of a run."""


def unique_names(results: Sequence[Result]) -> list[str]:
    """A name for each of ``results``: its own, with the set-up where others have the same, else numbered."""
    names = [result.name for result in results]
    of_name: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        of_name.setdefault(name, []).append(index)
    for name, members in of_name.items():
        if len(members) > 1:
            differences = _differences([results[index].setup for index in members])
            for index, difference in zip(members, differences, strict=True):
                names[index] = _named(name, difference)
    return _numbered(names)


def _named(name: str, difference: str) -> str:
    if not difference:
        return name
    return f"{name[:-1]},{difference}]" if name.endswith("]") else f"{name}[{difference}]"


def _differences(setups: Sequence[Setup]) -> list[str]:
    """For each of ``setups`` as little as tells it from the others, empty where nothing does."""
    labels = [dict(_labels(setup)) for setup in setups]
    chosen: list[str] = []
    kinds = 1
    for name in sorted(dict.fromkeys(name for one in labels for name in one), key=_rank):
        found = len({tuple(one.get(each) for each in (*chosen, name)) for one in labels})
        if found > kinds:
            chosen.append(name)
            kinds = found
    return [",".join(one[name] for name in chosen if name in one) for one in labels]


def _rank(name: str) -> int:
    return _LAST.index(name) + 1 if name in _LAST else 0


def _labels(setup: Setup) -> Iterator[tuple[str, str]]:
    """What a set-up is told by, each with its text."""
    told = {
        "model": setup.model,
        "precision": setup.precision,
        "framework": setup.framework,
        "hardware": setup.hardware,
        "gpus": setup.gpus,
        "prefill": setup.prefill_gpus,
        "decode": setup.decode_gpus,
        "conc": setup.concurrency,
        "rate": None if setup.rate_per_s is None else f"{setup.rate_per_s:g}",
        "spec": setup.speculative_decoding,
        **{flag.partition("=")[0]: flag.partition("=")[2] for flag in setup.flags},
        "image": setup.image,
        "commit": setup.commit and setup.commit[:_COMMIT],
        "isl": _tokens(setup.input_length),
        "osl": _tokens(setup.output_length),
        "date": setup.date,
    }
    return (
        (name, f"{name}={value}" if value != "" else name)
        for name, value in told.items()
        if value is not None
    )


def _tokens(length: float | None) -> str | None:
    return None if length is None else f"{length:.0f}"


def _numbered(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique: dict[str, None] = {}
    for name in names:
        seen[name] += 1
        one = name if seen[name] == 1 else f"{name} #{seen[name]}"
        while one in unique:
            seen[name] += 1
            one = f"{name} #{seen[name]}"
        unique[one] = None
    return list(unique)
