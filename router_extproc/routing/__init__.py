"""From readings to a route: rules, the policy that orders them, the selection of a model."""
