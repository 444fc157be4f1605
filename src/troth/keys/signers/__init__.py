"""Keys that sign (ECDSA, P-256) and stay where they were made: in a folder, on a PKCS#11 token, in OpenBao."""
