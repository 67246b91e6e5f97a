"""The rows of the chapter: Files."""
from row import Row

TITLE, TITLE_ZH = 'Files', '文件管理'

ROWS: list[Row] = []
