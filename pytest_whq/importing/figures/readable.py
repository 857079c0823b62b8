"""What a run file can hold of imported results: figures that can be may give others that cannot."""

from dataclasses import replace

from pytest_whq.model import Record, Run
from pytest_whq.storing.fields import FieldError
from pytest_whq.storing.files import without_collection
from pytest_whq.storing.records import read_record, record_as_dict


def readable_part(run: Run) -> tuple[Run, list[str]]:
    """``run`` with the records that a run file can hold, and a sentence for each that is left out."""
    left_out: list[str] = []
    with without_collection():
        records = tuple(record for record in run.records if _is_readable(record, left_out))
    if not left_out:
        return run, left_out
    measured = {device for record in records for device in record.measurement.device_ids}
    devices = tuple(device for device in run.rig.devices if device.id in measured)
    return replace(run, records=records, rig=replace(run.rig, devices=devices)), left_out


def _is_readable(record: Record, left_out: list[str]) -> bool:
    try:
        read_record(record_as_dict(record))
    except FieldError as wrong:
        left_out.append(f"{record.test} is left out, since what its figures give cannot be: its {wrong}")
        return False
    return True
