"""Re-scoring at large: what a change of everything leaves to do, in chunks beside the daily work.

A change says what it is about (`start`). A worker cuts that into chunks and takes one at a time (`work`), each within a
bounded time and in one transaction with its progress; between them it rests, and whatever was marked goes first. Staff
pause, resume and cancel.
"""

from matching.actions.mass.jobs import bell, cancel, pause, resume, start
from matching.actions.mass.working import work, work_all

__all__ = ["bell", "cancel", "pause", "resume", "start", "work", "work_all"]
