"""What the ward's station shows and answers over HTTPS. Kept here: `face` (for devices)."""
