"""Joins input and model: strategy, precision, the loop, checkpoints, scoring."""
