"""An OAuth 2.1 authorization server for the command line and for services; every token belongs to a key (RFC 9449)."""
