"""Who may what, and for how long: custom roles, elevation, break-glass, access reviews, leavers (promises ACC-*)."""
