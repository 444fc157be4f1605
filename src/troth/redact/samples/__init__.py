"""Data of the demonstration: see NOTICE for where it comes from."""
