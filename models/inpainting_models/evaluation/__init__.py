"""Measures how good painters are: the seeded suite, its measures, and the pages that show them."""
