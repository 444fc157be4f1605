"""Each sentence of the published paper beside live evidence: catalogue, checks, runner, status."""
