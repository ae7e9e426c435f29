"""How a number is written where no measure says its digits, and how a prediction is written beside what was measured.

Beside a limit a number keeps six digits, whatever its measure's table shows: rounded, 20.04 would seem to meet 20.
"""

from loadtests.model.results import Prediction, Threshold

# In this order: "**" has to be read before "*".
_SIGNS = ((">=", "≥"), ("<=", "≤"), ("==", "="), ("**", "^"), ("*", "×"), ("_", " "), ("..", " to "))
_RELATIONS = (">=", "<=", "==", ">", "<")


def number(value: float) -> str:
    """Four digits at least, and never an exponent: "20", "0.2345", "12,345"."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"


def said(limit: Prediction | Threshold) -> str:
    """What was predicted, or is to fail the run, with what it comes to: "at_risk = 20", "> 0.05 * U (that is 3)"."""
    text = " ".join(_text(limit).split())
    # "20" comes to 20, and "> 20" does: then the value is not said once more.
    same = text.lstrip("<>= ").replace(" ", "") == _value(limit).replace(" ", "")
    return text if same else _with_value(text, limit)


def readable(limit: Prediction | Threshold) -> str:
    """The same for tables, with the signs that people write: "at risk = 20", "≥ 0.95 × U (57)"."""
    return _signs(said(limit).replace("(that is ", "("))


def brief(limit: Prediction | Threshold) -> str:
    """Only what it comes to: "20", "≥ 57", "20 to 60"."""
    relation = next((sign for sign in _RELATIONS if _text(limit).startswith(sign)), "")
    return _signs(f"{relation} {_value(limit)}".strip())


def beside(prediction: Prediction) -> str:
    """A prediction and what was measured: "predicted logged_out at_risk = 20, measured 19"."""
    # A relation has its value here even where it says it ("> 0 (that is 0)"): this stands in results.json, and those
    # that an earlier version wrote must agree with their evidence to the letter.
    text = prediction.predicted
    full = text if text == _value(prediction) else _with_value(text, prediction)
    return f"predicted {prediction.measure} {full}, measured {prediction.measured:g}"


def fails_if(threshold: Threshold) -> str:
    """A threshold and what was measured: "fails if logged_out > 0.05 * U (that is 3), measured 4"."""
    return f"fails if {threshold.measure} {said(threshold)}, measured {threshold.measured:g}"


def _text(limit: Prediction | Threshold) -> str:
    return (limit.predicted if isinstance(limit, Prediction) else limit.fail_if).strip()


def _with_value(text: str, limit: Prediction | Threshold) -> str:
    plain = limit.upper is None and not text.startswith(_RELATIONS)
    return f"{text} = {_value(limit)}" if plain else f"{text} (that is {_value(limit)})"


def _value(limit: Prediction | Threshold) -> str:
    return f"{limit.value:g}" + ("" if limit.upper is None else f" .. {limit.upper:g}")


def _signs(text: str) -> str:
    for sign, better in _SIGNS:
        text = text.replace(sign, better)
    return " ".join(text.split())
