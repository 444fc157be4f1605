"""The HTTPS door: bytes to typed requests, results to bytes. It carries no logic of its own."""
