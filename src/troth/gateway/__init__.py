"""The OpenAI-compatible door's inside: what may leave, to which vendor, and what comes back."""
