"""What every layer shares: the caller, the clock, ids, refusals, data classes, operations and their one road in."""
