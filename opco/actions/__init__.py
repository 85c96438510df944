"""What one does at the queue: see what is one's own, take a file, decide, undo, ask, note; and what the clock does.

A *desk* is who sits at the queue: an advisor, who sees one OPCO's files, or support, who sees them all. Every function
takes it, and reads through ``desks.files_of``: another OPCO's file does not exist.
"""
