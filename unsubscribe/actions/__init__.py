"""What is done with a request: ask it, prove it, do it, let support decide, forget it."""
