"""Providers of epoch roots, one module per kind, behind the port in `port.py`."""
