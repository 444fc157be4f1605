"""Provisioning by a tenant's identity provider: SCIM 2.0 (RFC 7643, RFC 7644)."""
