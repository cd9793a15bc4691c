"""Proofs that the house is still the house: each room here answers one question."""
