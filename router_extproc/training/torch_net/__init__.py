"""Networks in torch, and fitting them."""
