"""A real photograph with invented personal metadata, for the demonstration and the tests (licence: NOTICE)."""
