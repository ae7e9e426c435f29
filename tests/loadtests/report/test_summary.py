from loadtests.model.results import Prediction
from loadtests.report.glossary import definitions
from loadtests.report.summary import columns, in_cell


def test_every_column_has_a_definition() -> None:
    assert {column.key for column in columns()} <= set(definitions())


def test_a_long_formula_comes_to_its_value_in_a_cell() -> None:
    rolling = "U * (N - 1) / N * ((N / (N - 1)) ** N - 1)"
    assert in_cell(Prediction("logged_out", rolling, 95, 95, True)) == "95"
    assert in_cell(Prediction("logged_out", f">= {rolling}", 95, 95, True)) == "≥ 95"
    assert in_cell(Prediction("logged_out", f"0 .. {rolling}", 0, 95, True, 95)) == "0 to 95"
    assert in_cell(Prediction("logged_out", "at_risk", 20, 20, True)) == "at risk = 20"
