"""includes.py: each file includes what it uses of the library, itself or by a header of ours: what a
library's headers happen to include of each other differs between compilers. Names are looked for in
the text without comments and strings; the list has those that have mattered."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ('boot', 'kernel', 'mm', 'fs', 'drivers', 'user', 'tests')
# What stands for it: the header's C name, and others that promise the name.
HEADERS = {
    'algorithm': (r'std::(?:ranges::)?(?:sort|stable_sort|min|max|clamp|find|find_if|fill|fill_n|copy|copy_n|count|count_if|'
                  r'any_of|all_of|none_of|equal|remove_if|reverse|lower_bound|upper_bound|min_element|'
                  r'max_element|shuffle|unique|generate|transform|rotate|next_permutation)\b', ()),
    'array': (r'std::array\b', ()),
    'atomic': (r'std::atomic\b', ()),
    'bit': (r'std::(?:bit_width|bit_cast|countr_zero|countl_zero|popcount|has_single_bit|bit_ceil|bit_floor)\b', ()),
    'cstdint': (r'(?<![:\w])(?:std::)?u?int(?:8|16|32|64|ptr)_t\b', ('stdint.h', 'inttypes.h', 'cinttypes')),
    'deque': (r'std::deque\b', ()),
    'fstream': (r'std::[io]?fstream\b', ()),
    'functional': (r'std::(?:function|hash|less|greater)\b', ()),
    'iostream': (r'std::(?:cout|cerr|cin)\b', ()),
    'limits': (r'std::numeric_limits\b', ()),
    'map': (r'std::(?:multi)?map\b', ()),
    'memory': (r'std::(?:unique_ptr|make_unique|shared_ptr|make_shared)\b', ()),
    'mutex': (r'std::(?:mutex|lock_guard|unique_lock|scoped_lock)\b', ()),
    'numeric': (r'std::(?:accumulate|iota|gcd|lcm)\b', ()),
    'optional': (r'std::(?:optional|nullopt)\b', ()),
    'random': (r'std::(?:mt19937|uniform_int_distribution|random_device)\w*', ()),
    'set': (r'std::(?:multi)?set\b', ()),
    'span': (r'std::span\b', ()),
    'sstream': (r'std::[io]?stringstream\b', ()),
    'string': (r'std::(?:string|to_string|stoi|stoul)\b', ()),
    'string_view': (r'std::string_view\b', ('string',)),
    'thread': (r'std::(?:thread|this_thread)\b', ()),
    'tuple': (r'std::(?:tuple|tie|make_tuple)\b', ()),
    'type_traits': (r'std::(?:is_\w+_v|enable_if\w*|conditional_t|remove_\w+_t|make_unsigned_t|underlying_type_t)\b', ()),
    'utility': (r'std::(?:move|forward|swap|exchange|pair|index_sequence|make_index_sequence|declval)\b',
                ('map', 'vector', 'string', 'memory', 'algorithm', 'tuple', 'functional', 'optional', 'array')),
    'vector': (r'std::vector\b', ()),
    'cstdio': (r'(?<![\w.>:])(?:printf|fprintf|snprintf|puts|fputs|fopen|perror|sscanf)\(', ('stdio.h',)),
    'cstring': (r'(?<![\w.>:])(?:strlen|strcmp|strerror|strchr|strstr)\(', ('string.h',)),
    'cstdlib': (r'(?<![\w.>:])(?:exit|strtoul|strtol|strtoull|getenv|atoi|abort)\(', ('stdlib.h',)),
    'cerrno': (r'(?<![\w.>:])errno\b', ('errno.h',)),
}
C_NAMES = ('cstdio', 'cstring', 'cstdlib', 'cerrno')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
INCLUDE = re.compile(r'^#include (?:<([^>]+)>|"([^"]+)")', re.M)
read = {}


def included(path):
    """All names in <...> that `path` includes, also by our headers."""
    if path not in read:
        read[path] = set()  # a circle ends here
        found = set()
        for library, ours in INCLUDE.findall(path.read_text()):
            if library:
                found.add(library)
            for base in (ROOT, path.parent):
                if ours and (base / ours).is_file():
                    found |= included((base / ours).resolve())
                    break
        read[path] = found
    return read[path]


def main():
    complaints = 0
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob('*.[ch]pp')):
            if 'kernel/std' in str(path):
                continue
            text = NOISE.sub(' ', path.read_text())
            for header, (names, others) in HEADERS.items():
                if header in C_NAMES and folder not in ('user', 'tests'):
                    continue  # the kernel has its own
                use = re.search(names, text)
                if use and not included(path) & {header, *others}:
                    print(f'{path.relative_to(ROOT)}: {use.group().rstrip("(")} without #include <{header}>')
                    complaints += 1
    return complaints > 0


sys.exit(main())
