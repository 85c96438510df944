"""Where the search finds what it answers: establishments with a high potential, and offers."""
