"""Trains the tagger that `troth.redact.model` ships. Needs PyTorch; nothing of it is imported at run time."""
