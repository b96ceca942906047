"""What a rulebook says: its language, its text, its checks. Versioned data, never Python."""
