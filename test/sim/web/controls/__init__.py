"""The controls under /sim, for tests and for people: not a part of Dialpad."""
