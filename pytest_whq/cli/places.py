"""The commands that tell what energy means where it was drawn: regions, bound, disclose."""

import argparse
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_whq.cli.console import formats_help, hand_over, load, say
from pytest_whq.errors import SettingError
from pytest_whq.rendering.sheets import SHEETS

if TYPE_CHECKING:
    from pytest_whq.model import Run

_REGIONS = (
    *(f"gcp:asia-northeast{number}" for number in (1, 2, 3)),
    *("gcp:asia-southeast1", "gcp:asia-south1", "gcp:australia-southeast1"),
    *("gcp:us-central1", "gcp:us-east4", "gcp:us-west1", "gcp:southamerica-east1"),
    *("gcp:europe-west1", "gcp:europe-west2", "gcp:europe-west3", "gcp:europe-west9", "gcp:europe-north1"),
)
"""What ``whq regions`` compares where no grid is named: some of each part of the world, by one source."""


def add_place(parser: argparse.ArgumentParser, *, one_grid: bool = True) -> None:
    """Let a command take where its run was measured."""
    if one_grid:
        parser.add_argument(
            "--grid",
            metavar="GRID",
            help="485 g/kWh, a country such as JPN, gcp:asia-northeast1, jp:shikoku-electric",
        )
    parser.add_argument("--price", metavar="PRICE", help="of electricity, such as 31 JPY/kWh")
    parser.add_argument("--pue", metavar="PUE", help="the data centre's energy over that of its machines")


def placed(run: "Run", options: argparse.Namespace) -> "Run":
    """``run`` where the options say; what they do not say stays as the run has it."""
    from dataclasses import replace

    from pytest_whq.footprint.place import read_place
    from pytest_whq.model import Place

    given = read_place(getattr(options, "grid", None), options.price, options.pue, lambda name: f"--{name}")
    if given is None:
        return run
    own = run.place or Place()
    place = Place(given.grid or own.grid, given.price or own.price, given.overhead or own.overhead)
    return replace(run, place=place)


def regions_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq regions`` takes."""
    parser.add_argument(
        "file", metavar="RUN", nargs="?", type=Path, help="a run file; default: the last session"
    )
    parser.add_argument(
        "--grid",
        metavar="GRID",
        dest="grids",
        action="append",
        help="a place to compare (repeatable); default: the run's own and some of Google's regions",
    )
    add_place(parser, one_grid=False)


def regions(options: argparse.Namespace) -> int:
    """Show what a run amounts to in several places."""
    from pytest_whq.footprint.place import read_grid
    from pytest_whq.model import Place
    from pytest_whq.rendering.places import regions as rendering

    run = placed(load(options.file), options)
    grids = [read_grid(text, "--grid") for text in options.grids or _REGIONS]
    if not options.grids and run.place is not None and run.place.grid is not None:
        grids.append(run.place.grid)
    say(rendering.render(run, list(dict.fromkeys(grids)), run.place or Place()))
    return 0


def bound_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq bound`` takes."""
    parser.add_argument(
        "file", metavar="RUN", nargs="?", type=Path, help="a run file to set beside the bound"
    )
    parser.add_argument(
        "--price", metavar="PRICE", required=True, help="of tokens, such as 0.20 USD/Mtok; see --input-price"
    )
    parser.add_argument(
        "--input-price", metavar="PRICE", help="of input tokens, where --price is of output tokens alone"
    )
    parser.add_argument("--electricity", metavar="PRICE", required=True, help="such as 0.10 USD/kWh")
    parser.add_argument("--pue", metavar="PUE", help="the data centre's energy over that of its machines")


def bound(options: argparse.Namespace) -> int:
    """Show what a token can take at most, and how far a run lies from that."""
    from dataclasses import replace

    from pytest_whq.footprint.bound import Bound, read_token_price
    from pytest_whq.footprint.place import read_overhead, read_price
    from pytest_whq.model import Place
    from pytest_whq.rendering.places import bounds

    inputs = options.input_price
    most = Bound(
        output=read_token_price(options.price, "--price"),
        electricity=read_price(options.electricity, "--electricity"),
        input=None if inputs is None else read_token_price(inputs, "--input-price"),
    )
    overhead = None if options.pue is None else read_overhead(options.pue, "--pue")
    run = None if options.file is None else load(options.file)
    if run is not None and overhead is not None:
        run = replace(run, place=replace(run.place or Place(), overhead=overhead))
    say(bounds.render(most, run))
    return 0


def disclose_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq disclose`` takes."""
    parser.add_argument(
        "file", metavar="RUN", nargs="?", type=Path, help="a run file; default: the last session"
    )
    formats = tuple(SHEETS)
    parser.add_argument(
        "--format", metavar="FORMAT", choices=formats, default=formats[0], help=formats_help(formats)
    )
    parser.add_argument("--test", metavar="PATTERN", default="*", help="only tests whose name matches")
    parser.add_argument("--model", metavar="NAME", help="the model that was served")
    parser.add_argument("--supplier", metavar="NAME", help="who served it")
    add_place(parser)
    parser.add_argument(
        "--check",
        metavar="FILE",
        type=Path,
        help="say what a sheet leaves out (JSON of this command, SPDX 3 or BoAmps); exit 1 where it does",
    )


def disclose(options: argparse.Namespace) -> int:
    """Print the sheet of a run, or what a given sheet leaves out."""
    if options.check is not None:
        return _check(options.check)
    from dataclasses import replace

    from pytest_whq.footprint.sheet import sheet_of
    from pytest_whq.rendering import sheets

    run = placed(load(options.file), options)
    records = tuple(record for record in run.records if fnmatchcase(record.test, options.test))
    if not records:
        raise SettingError(f"No test of the run matches --test {options.test!r}.")
    sheet = sheet_of(replace(run, records=records), options.model, options.supplier)
    hand_over(sheets.render(options.format, sheet))
    return 0


def _check(path: Path) -> int:
    from pytest_whq.footprint.left_out import ITEMS, left_out
    from pytest_whq.storing.files import parse_json, read_bytes

    missing = left_out(parse_json(read_bytes(path), str(path), "Give a sheet as JSON."))
    if missing is None:
        raise SettingError(
            f"{path} is no sheet that is known here: give one that whq disclose --format json wrote, "
            "an SPDX 3 document or a BoAmps report."
        )
    for item in missing:
        say(f"left out: {item.asked} ({item.name})")
    say(f"{len(ITEMS) - len(missing)} of {len(ITEMS)} answered")
    return 1 if missing else 0
