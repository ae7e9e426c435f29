from __future__ import annotations

from pathlib import Path

from loadtests.model.run_folder import encode_document
from loadtests.workshop.contract import WORKSHOP_SCHEMA, read_workshop
from tests.loadtests.workshop.dashboard.made_up_round import workshop
from tests.shared.schema_contract import SchemaContract


class TestWorkshop(SchemaContract):
    schema = WORKSHOP_SCHEMA

    def write(self, folder: Path) -> Path:
        path = folder / "workshop.json"
        path.write_bytes(encode_document(workshop("run")))
        return path

    def read(self, path: Path) -> object:
        return read_workshop(path)
