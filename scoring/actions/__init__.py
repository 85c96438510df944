"""What may be done with the score: compute it (``refresh``), put it online or take it back (``releases``)."""
