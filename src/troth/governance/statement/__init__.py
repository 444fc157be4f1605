"""The plain statement: what people are told of their data, made of the data map and of nothing else."""
