#!/usr/bin/env python3
"""The tables of the policy that this file is named after: see sched_tables.py."""
import sched_tables

sched_tables.run_as_test(__file__)
