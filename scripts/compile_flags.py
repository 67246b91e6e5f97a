"""compile_flags.py BUILD-FOLDER: the kernel's compile commands for clang's tools, which don't know all of
GCC's options, as BUILD-FOLDER/lint/compile_commands.json."""
import json
import os
import subprocess
import sys

# -mgeneral-regs-only: clang then rejects even declarations with floating point, as libstdc++ has.
LEFT_OUT = ('-fno-use-cxa-atexit', '-Wno-psabi', '-fcf-protection=', '-fmacro-prefix-map=',
            '-mpreferred-stack-boundary=', '-mgeneral-regs-only')
build = sys.argv[1]
with open(os.path.join(build, 'compile_commands.json')) as file:
    commands = json.load(file)
headers = subprocess.run(['clang++', '-print-resource-dir'], stdout=subprocess.PIPE, text=True,
                         check=True).stdout.strip() + '/include'
kept = []
for entry in commands:
    # kernel.pass1 and the like have no sources; programs of user/ are not ours to check here.
    if 'kernel_objects.dir' in entry['command'] and entry['file'].endswith('.cpp'):
        words = [headers if '/lib/gcc' in word and word.endswith('/include') else word
                 for word in entry['command'].split() if not word.startswith(LEFT_OUT)]
        words[0] = 'clang++ --target=i686-unknown-none-elf'
        entry['command'] = ' '.join(words)
        kept.append(entry)
os.makedirs(os.path.join(build, 'lint'), exist_ok=True)
with open(os.path.join(build, 'lint', 'compile_commands.json'), 'w') as file:
    json.dump(kept, file, indent=0)
for entry in kept:
    print(entry['file'])
