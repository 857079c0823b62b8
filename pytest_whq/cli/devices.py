"""The command that looks at this machine: devices."""

import argparse

from pytest_whq.cli.console import add_file_to_write, complain, say
from pytest_whq.errors import RunFileError, SettingError


def devices_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``whq devices`` takes."""
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="learn how the GPUs' sensors behave, under a load where torch can make one; some 40 s each",
    )
    parser.add_argument("--devices", metavar="LIST", help="which GPUs to calibrate: indices, UUIDs or all")
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        help="over how long at most to compare counter and power (default: 10)",
    )
    parser.add_argument(
        "--driver-timeout",
        metavar="S",
        help="how long a driver may take to answer (default: 10)",
    )
    add_file_to_write(parser, "--json", what="write the calibration to this file, too; makes its folder")


def devices(options: argparse.Namespace) -> int:
    """List what can be measured here, or learn how its sensors behave."""
    if options.calibrate:
        return _calibrate(options)
    if any(given is not None for given in (options.devices, options.seconds, options.json)):
        raise SettingError("--devices, --seconds and --json go with --calibrate (see whq devices --help).")
    from dataclasses import replace

    from pytest_whq.calibrating.measurable import list_measurable
    from pytest_whq.measuring.clock import SystemClock
    from pytest_whq.rendering import device_table
    from pytest_whq.sources.offered import installed_offers
    from pytest_whq.storing.known_boards import boards_path, read_boards

    listing = list_measurable(SystemClock(), installed_offers(), _limit_s(options))
    try:
        calibrated = read_boards(boards_path())
    except RunFileError as error:
        listing, calibrated = replace(listing, problems=(*listing.problems, str(error))), ()
    say(device_table.render(listing, calibrated))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from pytest_whq.calibrating.gpus import as_kept, calibrate_gpus
    from pytest_whq.measuring.clock import SystemClock
    from pytest_whq.rendering import sensor_table
    from pytest_whq.storing.calibrations import calibrations_as_json
    from pytest_whq.storing.files import make_folder_of, write_text
    from pytest_whq.storing.known_boards import keep_boards
    from pytest_whq.storing.stamp import now

    seconds = 10.0 if options.seconds is None else options.seconds
    if not 0 < seconds <= 600:
        raise SettingError(f"--seconds must be above 0 and at most 600, not {seconds:g}.")
    limit_s = _limit_s(options)
    driver, found = calibrate_gpus(SystemClock(), options.devices, seconds, _note, limit_s=limit_s)
    say(sensor_table.render(found))
    created = now()
    if options.json is not None:
        make_folder_of(options.json)
        write_text(options.json, calibrations_as_json(found, created=created, driver=driver))
    try:
        if kept := as_kept(found, created, driver):
            complain(f"kept in {keep_boards(kept)}, for windows on these boards")
    except RunFileError as error:  # All else has been done.
        complain(str(error))
    return 0


def _limit_s(options: argparse.Namespace) -> float:
    from pytest_whq.setting_values import seconds
    from pytest_whq.sources.bounded import LIMIT_S

    given = options.driver_timeout
    return LIMIT_S if given is None else seconds(above_zero=True)("--driver-timeout", given)


def _note(text: str) -> None:
    if text:
        complain(text)
