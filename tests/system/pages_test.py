"""Every file and function that a page names exists, the Chinese pages say the same as the English ones,
and the reading guide's path is short enough."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.exit(subprocess.run([sys.executable, os.path.join(ROOT, 'scripts', 'pages.py')], check=False).returncode)
