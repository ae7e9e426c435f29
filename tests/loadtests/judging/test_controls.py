"""A control is no test of the scenario's predictions, whatever it measures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.judging.judge import judge
from loadtests.model.plan import Control, encode_plan, plan_sha256, read_plan
from loadtests.model.run_folder import RunFolder
from tests.loadtests.model_run import write_run


def as_control(run: RunFolder, control: Control) -> None:
    plan = msgspec.structs.replace(read_plan(run.plan), control=control)
    run.plan.write_bytes(encode_plan(plan))
    provenance = msgspec.structs.replace(run.read_provenance(), plan_sha256=plan_sha256(plan))
    run.provenance.write_bytes(msgspec.json.encode(provenance))


@pytest.mark.parametrize("control", ["no-fault", "placebo"])
def test_it_is_inconclusive_and_says_why(tmp_path: Path, control: Control) -> None:
    run = write_run(tmp_path / "20261121-000000-model-1")
    assert judge(run.root).verdict == "as predicted"
    as_control(run, control)
    results = judge(run.root)
    assert results.verdict == "inconclusive"
    assert "ill" not in results.answer, "nobody killed anything"
    for result in results.architectures.values():
        assert result.reasons == (f"it is a control ({control}): the scenario predicts what happens with the fault",)
        assert result.predictions == ()
        assert result.logged_out.shoppers + result.users.kept > 0
