"""What only chapters need."""
