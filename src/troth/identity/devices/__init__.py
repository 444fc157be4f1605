"""Keys of devices: proofs made with them, and sessions that only their holder can use."""
