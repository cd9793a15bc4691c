"""What rests on a disk, tried on real files."""
