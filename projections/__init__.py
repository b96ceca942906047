"""What is read from the ledger, and the processes that read it and record what follows.

The tables of every `Projection` can be dropped and derived again; the ledger cannot.
"""
