"""The rights of people: a register of requests with clocks by law, objections that act at once, statements."""
