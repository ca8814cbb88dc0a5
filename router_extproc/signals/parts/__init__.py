"""Reading more of a request than its ask: which texts, in which pieces, and within which bounds."""
