"""The tests: the tree mirrors the code; a test is named after the rule it guards."""
