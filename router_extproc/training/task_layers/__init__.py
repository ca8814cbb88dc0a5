"""Trains the task layers: the upper layers that read prompts for every shipped head, in one net."""
