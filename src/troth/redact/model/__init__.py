"""The model tier: a tagger of words, trained by `training/`, its weights, and how its finds join those of the rules.

Needs numpy (the extra `model`); `troth.redact.tiers` imports it when it is asked for.
"""
