"""What every file must do that says which schema it was written with. A test of one inherits this."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import RunFolderError, UsageError


class SchemaContract:
    """Inherit, and say how the file is written and read."""

    schema: int
    """The one that this version reads."""
    error: type[UsageError] = RunFolderError

    def write(self, folder: Path) -> Path:
        """A sound file in that folder."""
        raise NotImplementedError

    def read(self, path: Path) -> object:
        """Read it, as the product does."""
        raise NotImplementedError

    def refused(self, path: Path, content: bytes) -> UsageError:
        path.write_bytes(content)
        with pytest.raises(self.error) as refused:
            self.read(path)
        return refused.value

    def test_its_own_schema_is_read(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        assert json.loads(path.read_bytes())["schema"] == self.schema
        self.read(path)

    def test_another_schema_is_told_with_what_is_read_and_what_to_do(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        document = json.loads(path.read_bytes()) | {"schema": 99, "twinshop": "9.9.9"}
        told = self.refused(path, json.dumps(document).encode())
        assert told.what.endswith("was written with schema 99")
        assert told.why == f"this version of Twinshop reads schema {self.schema}; Twinshop 9.9.9 wrote it"
        assert told.next_step

    def test_another_schema_may_have_other_fields(self, tmp_path: Path) -> None:
        told = self.refused(self.write(tmp_path), b'{"schema": 99, "unheard-of": {}}')
        assert told.what.endswith("was written with schema 99")
        assert told.why == f"this version of Twinshop reads schema {self.schema}"

    @pytest.mark.parametrize("damaged", [b'{"schema": "99"}', b'{"schema": 99', b"[99]", b"\xff", b""])
    def test_what_is_no_document_is_of_no_schema(self, tmp_path: Path, damaged: bytes) -> None:
        assert "schema 99" not in self.refused(self.write(tmp_path), damaged).what

    def test_of_this_schema_and_damaged_it_is_not_of_another_one(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        assert "was written with" not in self.refused(path, path.read_bytes().rstrip()[:-1]).what
