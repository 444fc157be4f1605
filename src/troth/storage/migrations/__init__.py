"""Schema changes, in order. `migrate.upgrade` runs them; nothing else creates tables in a real installation."""
