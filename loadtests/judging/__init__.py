"""From the files of a run to its results: memory, books, reconciliation, verdict. Nothing here starts anything."""
