"""`motcua-hub` as real processes over real TLS."""
