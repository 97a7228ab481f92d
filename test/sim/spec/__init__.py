"""Holds requests and answers against Dialpad's API description."""
