"""What a figure means: budgets, and regressions from a baseline. Pure."""
