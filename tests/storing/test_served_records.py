"""What loads and streams add to a record, there and back."""

import json
from dataclasses import replace

from samples import a_record

from pytest_whq.model.serving import Distribution, Distributions, Load, Phase, Phases, Stretch
from pytest_whq.storing.records import record_as_dict, record_from_dict

SPREAD = Distribution(12, 1.0, 0.9, 1.4, 1.5, 1.6)
PHASES = Phases("first_token", Phase(12.0, 0.3, 1.5, 4096), Phase(90.0, 0.8, 8.0, None))
LOAD = Load(4, None, 4.0, 40.0, 80.0, -0.5, Stretch(0.0, 0, 0, None), Stretch(1.0, 4, 1, -0.2))


def test_a_record_of_a_load_survives_its_way_through_a_file() -> None:
    record = a_record(
        failures={"ConnectionError": 3},
        distributions=Distributions(SPREAD, SPREAD, None, None, SPREAD, SPREAD),
        load=LOAD,
        phases=PHASES,
        tokenizer="tokenizer.json",
        notes=("a note",),
    )
    stored = json.loads(json.dumps(record_as_dict(record)))
    assert stored["load"]["tail"] == {"duration_s": 1.0, "queries": 4, "failed_queries": 1, "energy_j": -0.2}
    assert stored["phases"]["prefill"] == {
        "energy_j": 12.0,
        "uncertainty_j": 0.3,
        "duration_s": 1.5,
        "tokens": 4096,
    }
    assert record_from_dict(stored, "it") == record


def test_a_record_without_them_has_no_such_fields() -> None:
    record = a_record()
    stored = record_as_dict(record)
    assert {"failures", "distributions", "load", "phases", "tokenizer", "notes"}.isdisjoint(stored)
    assert record_from_dict(json.loads(json.dumps(stored)), "it") == replace(record)
