"""OpenAI's shapes as strict models: every field listed, every field bounded, nothing else accepted."""
