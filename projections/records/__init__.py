"""Read models: each answers one question."""
