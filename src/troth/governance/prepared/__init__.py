"""Evidence that the system prepares itself: what runs here, which advisories name it, and how it is set up."""
