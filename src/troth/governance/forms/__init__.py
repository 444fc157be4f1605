"""What a register is: the form in YAML, its fields, its conditions."""
