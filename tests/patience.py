"""How long a test waits for what takes seconds, where only a hang is to be told."""

PATIENT_S = 300.0
"""No busy machine holds anything up for as long."""
