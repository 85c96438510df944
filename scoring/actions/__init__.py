"""What may be done with the score: compute it. ``companies`` puts its releases online and takes them back."""
