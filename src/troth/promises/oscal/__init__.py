"""The promises, the checks and what they found, in OSCAL 1.2.3 (NIST): eight documents that refer to each other."""
