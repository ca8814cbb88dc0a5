"""A simulator of routing: made-up pools in simulated time, and in front of them the real routing code.

A scenario (`scenario`) says what the pools are like and what happens to them; requests are drawn from its
seed (`asks`); `run` decides each of them by the policy, live traffic and fail-over that serve real requests;
`report` counts. No network and no machine's clock: equal scenarios give equal reports.
"""
