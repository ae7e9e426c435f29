from loadtests.model.results import Prediction
from loadtests.report.glossary import definitions
from loadtests.report.summary import columns, in_cell, shown_columns, zero_columns
from tests.loadtests.report.conftest import MadeUp


def test_every_column_has_a_definition() -> None:
    assert {column.key for column in columns()} <= set(definitions())


def test_a_long_formula_comes_to_its_value_in_a_cell() -> None:
    rolling = "U * (N - 1) / N * ((N / (N - 1)) ** N - 1)"
    assert in_cell(Prediction("logged_out", rolling, 95, 95, True)) == "95"
    assert in_cell(Prediction("logged_out", f">= {rolling}", 95, 95, True)) == "≥ 95"
    assert in_cell(Prediction("logged_out", f"0 .. {rolling}", 0, 95, True, 95)) == "0 to 95"
    assert in_cell(Prediction("logged_out", "at_risk", 20, 20, True)) == "at risk = 20"


def test_no_number_of_the_table_is_lost_by_folding_what_is_0(made_up: MadeUp) -> None:
    shown, zero = shown_columns(made_up.results), zero_columns(made_up.results)
    always = {it.name for it in columns() if it.report == "always"}
    assert always <= {it.name for it in (*shown, *zero)}
    assert not {it.name for it in shown} & {it.name for it in zero}
    assert {it.name for it in zero} == {"items_lost", "other_losses", "not_sent"}
    for result in made_up.results.architectures.values():
        assert not any(it.read(result) for it in zero)
