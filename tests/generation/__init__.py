"""How the tests make branches up: choices, the draft of a branch, and what each scheme needs in
it.
"""
