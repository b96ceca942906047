"""The HTTP endpoints: a body becomes a command, one function is called, its result becomes a
response.
"""
