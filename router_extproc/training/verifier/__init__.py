"""Training the verifier: pairs, network, card, and shipping it."""
