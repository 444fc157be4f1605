"""The report of a period: which looks there should have been, which there were, and what they showed."""
