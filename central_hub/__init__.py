"""The city: where the wards meet, where devices are enrolled, and where a citizen may ask."""
