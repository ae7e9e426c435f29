from __future__ import annotations

from pathlib import Path

from loadtests.campaigns.cells import FILE, SCHEMA, Matrix, read_matrix, write_matrix
from tests.shared.schema_contract import SchemaContract


class TestMatrix(SchemaContract):
    schema = SCHEMA

    def write(self, folder: Path) -> Path:
        write_matrix(folder, Matrix())
        return folder / FILE

    def read(self, path: Path) -> object:
        return read_matrix(path.parent)
