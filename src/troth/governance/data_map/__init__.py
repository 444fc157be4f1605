"""The data map: what is kept of people, why, for how long, and who gets it. Everything said about it is made of it."""
