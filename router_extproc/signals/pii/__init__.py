"""Personal data: patterns, phone numbers, names, and the words around them."""
