"""Limits of what may be asked, what was used, and what it cost."""
