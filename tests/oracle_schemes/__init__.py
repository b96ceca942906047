"""The oracle's parts: the arithmetic, the facts and the schemes, in the order of the rules.
Standard library only.
"""
