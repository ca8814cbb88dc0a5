"""Simulated agent sessions: what it costs and brings when one model works through them, or several do.

Sessions are drawn from the scenario's seed (`draw`), the agent and its human live them through (`life`), and
each of their requests is routed as the pipeline routes it (`router`): the ask is read from its messages, the
session is looked up and noted, the policy decides. `report` compares the ways to choose a model.
"""
