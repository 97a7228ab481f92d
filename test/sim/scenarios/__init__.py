"""The stories that can be played. Each is a function of a Scene and nothing else."""
