"""From readings and traffic to a route."""
