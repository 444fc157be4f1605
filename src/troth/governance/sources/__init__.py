"""What other rooms keep, as records of a register: read when somebody asks, never copied or changed from here."""
