"""The engines: one module each, one contract (`contract.py`), one contract test (`tests/compose/contract.py`)."""
