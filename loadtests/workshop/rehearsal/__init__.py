"""The rehearsal: the workshop played without a person, and every promise of its texts held against what happened."""
