"""How good a model is: rows, figures, and one module for each task of `eval`."""
