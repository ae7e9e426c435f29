"""From a scenario to a plan: the rules of a scenario file, the drawing of what shoppers do, the page that shows it."""
