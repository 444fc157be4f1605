"""Troth keeps the promises of an AI company's security and privacy white paper, and proves that it kept them."""

__version__ = "0.1.0"
