"""Published papers as input: sentences, what each carries and claims, and what is wrong with it (GOV-22, GOV-25)."""
