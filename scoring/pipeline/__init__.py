"""The score from files to potentials, without Django: every step is a function of tables and dates."""
