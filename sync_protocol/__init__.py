"""Everything two replicas must agree on."""
