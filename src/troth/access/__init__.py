"""One decision point: Cedar policies over the evidence of every request (promises ACC-01 to ACC-05)."""
