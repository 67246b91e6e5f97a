"""How values of the kernel's own types are printed."""
import re

import gdb

from structures import members, raw, symbol, tree_elements


class ResultPrinter:
    """Result<T>: its value, or its error."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        fields = [field.name for field in self.value.type.fields()]
        if 'ok_' not in fields:  # Result<void>
            error = self.value['error_']
            return 'ok' if int(error) == 0 else f'error {error}'
        inner = self.value[self.value.type.fields()[0]]
        return f'ok: {inner["value_"]}' if self.value['ok_'] else f'error {inner["error_"]}'


class ManyPrinter:
    """List<T, &T::node>, OrderedTree<T, &T::node, …>: the elements, by address."""

    def __init__(self, value):
        self.value = value
        self.kind, self.type_name, self.member = re.match(
            r'(List|OrderedTree)<(.+?), &?\(?(?:[\w:()]*::)?(\w+)', str(value.type.strip_typedefs())).groups()

    def to_string(self):
        return f'{"list" if self.kind == "List" else "tree"} of {self.type_name}'

    def children(self):
        read = members if self.kind == 'List' else tree_elements
        for i, element in enumerate(read(self.value, self.type_name, self.member)):
            yield str(i), element.address

    def display_hint(self):
        return 'array'


class VectorPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f'vector of {int(self.value["size_"])}, room for {int(self.value["capacity_"])}'

    def children(self):
        for i in range(int(self.value['size_'])):
            yield str(i), self.value['data_'][i]

    def display_hint(self):
        return 'array'


class PointerPrinter:
    """Ref<T>, Box<T>: the object as what it was made as, and its references."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        pointer = self.value['pointer_']
        if not int(pointer):
            return 'null'
        kind = pointer.dynamic_type.target()
        counted = 'references_' in str([field.name for field in kind.fields()])
        return f'{kind} @{int(pointer):#x}' + (f', {pointer["references_"]} references' if counted else '')


class AddressPrinter:
    """VirtAddr, PhysAddr, Frame: in hexadecimal; an address of the kernel with its name."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        number = raw(self.value)
        name = symbol(number) if number >= 0xC0000000 else ''
        return f'{number:#x}' + (f' <{name}>' if name and not name.startswith('0x') else '')


class StringPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        size = int(self.value['size_'])
        return self.value['data_'].string('utf-8', 'replace', size) if size else ''

    def display_hint(self):
        return 'string'


PRINTERS = ((r'Result<', ResultPrinter), (r'(List|OrderedTree)<', ManyPrinter), (r'Vector<', VectorPrinter),
            (r'(Ref|Box)<', PointerPrinter), (r'Strong<(VirtAddr|PhysAddr|Frame)Tag', AddressPrinter), (r'String$', StringPrinter))


def printer(value):
    name = str(value.type.strip_typedefs())
    return next((make(value) for pattern, make in PRINTERS if re.match(pattern, name)), None)


gdb.pretty_printers.append(printer)
