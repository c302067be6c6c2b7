"""Engines: what turns utterances into clips."""
