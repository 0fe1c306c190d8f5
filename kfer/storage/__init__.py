"""How files and folders reach the disk."""
