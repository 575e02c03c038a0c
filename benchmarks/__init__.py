"""How fast the product is, in ratios to references that are measured in the same run. No benchmark is a test."""
