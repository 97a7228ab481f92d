"""The fake Dialpad over HTTP: its OAuth pages, its API, and the controls for tests."""
