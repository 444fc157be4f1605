"""The e-mail desk: requests come in over LMTP, notices go out by a relay."""
