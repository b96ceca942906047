"""The kinds of entry that business systems record."""
