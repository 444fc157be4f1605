"""What operators see of a running server: journal, metrics, traces, readiness, availability. Never content (CLS-09)."""
