"""The rows of the chapter: Memory."""
from row import Row

TITLE, TITLE_ZH = 'Memory', '内存管理'

ROWS: list[Row] = []
