"""One-hour certificates of devices, from a small authority (X.509, RFC 5280; names by SPIFFE)."""
