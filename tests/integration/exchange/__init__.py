"""Replicas that talk: by message, by stick, by snapshot."""
