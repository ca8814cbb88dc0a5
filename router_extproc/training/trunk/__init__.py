"""Trains the task trunk: the upper layers that read prompts for every shipped head, in one net."""
