#!/usr/bin/env bash
# Every concept has its place: the pages made from the rows are current, each section that a chapter marks for a row shows
# something of it, in both languages, the files exist; and once there are fourteen chapters, no row is without a section.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
exec ./scripts/concepts --pages --check
