"""State that every node keeps in its memory: what the store `replicated` is made of."""
