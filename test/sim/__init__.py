"""A stand-in for Dialpad: plays calls and texts to a webhook as Dialpad would."""
