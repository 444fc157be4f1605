"""Who somebody is: tenants, people and their roles, passwords and second factors, sessions, API keys."""
