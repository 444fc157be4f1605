"""SAML 2.0 service provider: one narrow door, made of small rules that refuse."""
