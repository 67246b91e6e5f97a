"""GDB commands for the kernel (`help ps` tells of ps), printers of its types, and the symbols of user programs.
Loaded by scripts/debug.
"""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import event_commands  # noqa: E402, F401
import file_commands  # noqa: E402, F401
import machine_commands  # noqa: E402, F401
import memory_commands  # noqa: E402, F401
import printers  # noqa: E402, F401
import thread_commands  # noqa: E402, F401
import time_commands  # noqa: E402, F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.realpath(os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build')))  # as GDB names what it loads
gdb.execute(f'directory {BUILD}', to_string=True)  # an assembler's file is named from there


class ProgramStart(gdb.Breakpoint):
    """A program begins: its symbols replace those of the one before, which had the same addresses."""

    loaded = None

    def __init__(self):
        super().__init__('program_started', internal=True)

    def stop(self):
        path = gdb.parse_and_eval('path').string(errors='replace')
        symbols = os.path.join(BUILD, 'programs', os.path.basename(path))
        for folder in ('bin', 'sbin', 'usr/lib/orrery/tests'):
            candidate = os.path.join(BUILD, 'programs', folder, os.path.basename(path))
            symbols = candidate if os.path.exists(candidate) else symbols
        if ProgramStart.loaded:
            gdb.execute(f'remove-symbol-file "{ProgramStart.loaded}"', to_string=True)
            ProgramStart.loaded = None
        if os.path.exists(symbols):
            gdb.execute(f'add-symbol-file "{symbols}"', to_string=True)
            ProgramStart.loaded = symbols
        gdb.set_convenience_variable('_program', os.path.basename(path) if ProgramStart.loaded else '')
        return False


ProgramStart()
