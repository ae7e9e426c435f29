"""What was started is known, watched, and ended: ledger, child processes, recovery."""
