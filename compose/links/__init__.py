"""The links between nodes and the session store, which can be slowed and cut."""
