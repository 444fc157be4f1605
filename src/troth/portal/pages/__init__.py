"""One file per part of the portal."""
