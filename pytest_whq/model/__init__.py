"""The values that pass through pytest-whq: frozen, with what can be derived as properties."""

from pytest_whq.model.measurement import DeviceEnergy as DeviceEnergy
from pytest_whq.model.measurement import Measurement as Measurement
from pytest_whq.model.measurement import Method as Method
from pytest_whq.model.measurement import PowerCurve as PowerCurve
from pytest_whq.model.measurement import Round as Round
from pytest_whq.model.measurement import TokenCount as TokenCount
from pytest_whq.model.metrics import METRICS as METRICS
from pytest_whq.model.metrics import Metric as Metric
from pytest_whq.model.metrics import format_metric as format_metric
from pytest_whq.model.readings import DeviceState as DeviceState
from pytest_whq.model.readings import Reading as Reading
from pytest_whq.model.reasons import REASONS as REASONS
from pytest_whq.model.reasons import Reason as Reason
from pytest_whq.model.rig import Commit as Commit
from pytest_whq.model.rig import Device as Device
from pytest_whq.model.rig import Rig as Rig
from pytest_whq.model.run import Record as Record
from pytest_whq.model.run import Run as Run
from pytest_whq.model.run import TestOutcome as TestOutcome
from pytest_whq.model.verdicts import BUDGET_OUTCOMES as BUDGET_OUTCOMES
from pytest_whq.model.verdicts import COMPARISON_OUTCOMES as COMPARISON_OUTCOMES
from pytest_whq.model.verdicts import BudgetOutcome as BudgetOutcome
from pytest_whq.model.verdicts import BudgetVerdict as BudgetVerdict
from pytest_whq.model.verdicts import Comparison as Comparison
