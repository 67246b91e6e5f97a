// ISO 9660, read-only: files that lie in one piece.
#pragma once

void iso9660_init();  // registers the type
