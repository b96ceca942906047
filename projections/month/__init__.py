"""The month of a branch, from settlement to payment and what comes after."""
