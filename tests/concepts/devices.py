"""The rows of the chapter: Devices."""
from row import Row

TITLE, TITLE_ZH = 'Devices', 'I/O 设备'

ROWS: list[Row] = []
