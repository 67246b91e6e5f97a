"""The rows of the chapter: Scheduling."""
from row import Row

TITLE, TITLE_ZH = 'Scheduling', '处理机调度'

ROWS: list[Row] = []
