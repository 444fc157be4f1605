"""Settings: the only reader of the environment and of `troth.toml`."""
