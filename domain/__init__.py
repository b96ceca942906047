"""What pay means: what happened (entries, events, the ledger) and what it is worth (rulebooks,
evaluation).
"""
