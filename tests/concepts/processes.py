"""The rows of the chapter: Processes and threads."""
from row import Row

TITLE, TITLE_ZH = 'Processes and threads', '进程与线程'

ROWS: list[Row] = []
