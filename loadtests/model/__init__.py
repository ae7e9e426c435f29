"""Everything that is written down: scenario, plan, history, events, results, and the folder they lie in."""
