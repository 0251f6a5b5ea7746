"""Strikes tapctl at every call it makes, and proves that the next run brings about what an undisturbed one does."""
