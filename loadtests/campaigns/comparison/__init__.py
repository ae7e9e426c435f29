"""Two or more runs side by side: what was asked, where, under which limits; the numbers only of the same plan."""
