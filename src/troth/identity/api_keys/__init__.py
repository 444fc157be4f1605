"""What API keys are limited to, and what their owners do with them."""
