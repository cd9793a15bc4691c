"""Everything that two replicas must agree on."""
