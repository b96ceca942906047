"""What can be derived from the ledger, dropped, and derived again."""
