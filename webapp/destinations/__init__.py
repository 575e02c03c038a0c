"""Manages destinations: editing, forms, masking, previews, and the impact of a deletion."""
