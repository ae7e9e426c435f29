"""Containers: the Docker engine's API, our images, and how everything of a run is found again by its label."""
