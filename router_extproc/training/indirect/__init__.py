"""Makes the head `indirect`: whether a passage of a tool result gives the model instructions."""
