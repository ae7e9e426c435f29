from loadtests.model.results import Prediction
from loadtests.report.glossary import definitions
from loadtests.report.summary import brief, columns, formula


def test_every_column_has_a_definition() -> None:
    assert {column.key for column in columns()} <= set(definitions())


def test_formulas_are_made_for_reading() -> None:
    assert formula(Prediction("logged_out", "at_risk", 20, 20, True)) == "at risk: 20"
    assert formula(Prediction("logged_out", ">= 0.95 * U", 57, 60, True)) == "≥ 0.95 × U: 57"
    assert formula(Prediction("logged_out", "0", 0, 0, True)) == "0"
    assert formula(Prediction("logged_out", "<= 3", 3, 0, True)) == "≤ 3"
    assert formula(Prediction("stalled", "U / N .. U", 20, 0, False, 60)) == "U / N to U: 20 to 60"
    assert formula(Prediction("stalled", "20..60", 20, 0, False, 60)) == "20 to 60"
    assert formula(Prediction("stalled", "2 ** N", 8, 0, False)) == "2 ^ N: 8"


def test_a_long_formula_comes_to_its_value_in_a_cell() -> None:
    rolling = "U * (N - 1) / N * ((N / (N - 1)) ** N - 1)"
    assert brief(Prediction("logged_out", rolling, 95, 95, True)) == "95"
    assert brief(Prediction("logged_out", f">= {rolling}", 95, 95, True)) == "≥ 95"
    assert brief(Prediction("logged_out", f"0 .. {rolling}", 0, 95, True, 95)) == "0 to 95"
    assert brief(Prediction("logged_out", "at_risk", 20, 20, True)) == "at risk: 20"
