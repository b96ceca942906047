"""Accounts: who may act, in which roles, and whose a secret is."""
