"""The engines: one module each, one contract (`compose.cluster`), one contract test (`tests/compose/contract.py`)."""
