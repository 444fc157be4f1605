"""Copies of everything but the keys, in more than one place; restored only where what was erased stays erased."""
