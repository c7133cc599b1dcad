"""How good a ranking is, and how true probabilities are, held against what people said or did."""
