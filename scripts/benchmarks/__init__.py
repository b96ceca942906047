"""How fast it is, always beside the bare work of the same run: ratios travel between machines,
seconds do not.
"""
