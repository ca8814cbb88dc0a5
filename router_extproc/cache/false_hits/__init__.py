"""Evidence of false hits: shadow comparisons, their interval, and the threshold that follows."""
