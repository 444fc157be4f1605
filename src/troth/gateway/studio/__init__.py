"""The local studio: pictures drawn by rules, real edits of pictures, and a small honest text responder. No model."""
