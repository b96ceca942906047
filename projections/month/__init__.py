"""A branch's period, from settlement to payment and what comes after.

One thing has several names: the period (a month, quarter, half or year), its cycle (考核周期, the
thirteen steps of V3.0), and `BranchMonth`, the state that its events tell.
"""
