"""The auditor's room: some promises and registers of a period, for one auditor, until a day. It reads and asks."""
