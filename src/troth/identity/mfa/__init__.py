"""Second factors: one-time codes by time, and the codes that stand in when the device is lost."""
