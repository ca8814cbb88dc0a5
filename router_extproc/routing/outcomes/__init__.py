"""Outcomes: whether answers of a decision's models were good enough, by what was heard or judged."""
