"""The rows of the chapter: Deadlock."""
from row import Row

TITLE, TITLE_ZH = 'Deadlock', '死锁'

ROWS: list[Row] = []
