"""The only engines and drivers: SQL database, object store, outbox."""
