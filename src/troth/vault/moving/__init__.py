"""Moving a tenant to an installation of another jurisdiction: sealed bundle, re-encryption there, erasure here."""
