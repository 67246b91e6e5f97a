"""The rows of the chapter: Synchronisation."""
from row import Row

TITLE, TITLE_ZH = 'Synchronisation', '进程同步'

ROWS: list[Row] = []
