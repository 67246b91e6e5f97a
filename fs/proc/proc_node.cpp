// See proc_node.hpp.
#include "fs/proc/proc_node.hpp"

#include "fs/proc/process_source.hpp"
#include "fs/proc/text_file.hpp"
#include "fs/timestamp.hpp"

namespace {

constexpr uint32_t kRootNumber = 1;
constexpr std::string_view kLeftOut = "-";
constexpr uint32_t kNameRoom = 24;  // of ProcNames

// Spread, so that no two files that anybody compares have the same one.
uint32_t number_of(const ProcEntry& entry, const ProcTarget& target) {
    if (entry.name == "/") return kRootNumber;
    uint32_t hash = 0x811c9dc5;
    auto add = [&](uint32_t value) { hash = (hash ^ value) * 0x01000193; };
    add(reinterpret_cast<uintptr_t>(&entry));
    add(static_cast<uint32_t>(target.pid));
    add(static_cast<uint32_t>(target.tid));
    add(static_cast<uint32_t>(target.fd));
    add(static_cast<uint32_t>(target.which));
    add(static_cast<uint32_t>(target.part));
    return hash > kRootNumber ? hash : hash + 2;
}

ProcTarget with_number(ProcTarget target, const ProcNumbers& numbers, int number) {
    target.*numbers.field = number;
    return target;
}

ProcTarget with_name(ProcTarget target, const ProcNames& names, int which) {
    target.*names.field = which;
    return target;
}

// Which of the names it is; -1: none.
int position_of(const ProcNames& names, const ProcTarget& target, std::string_view name) {
    if (name == kLeftOut) return -1;
    char room[kNameRoom];
    for (int which = 0;; ++which) {
        const std::string_view found = names.name(target, which, std::span(room));
        if (found == name) return which;
        if (found.empty()) return -1;
    }
}

bool exists(const ProcEntry& entry, const ProcTarget& target) {
    return !entry.exists || entry.exists(target);
}

// The names of a directory, in the order of their tables.
const ProcEntry* child_at(const ProcEntry& entry, uint64_t index) {
    if (index < entry.children.size()) return &entry.children[static_cast<size_t>(index)];
    index -= entry.children.size();
    for (const ProcGroup* group = entry.added ? entry.added->first : nullptr; group;
         group = group->next) {
        if (index < group->files.size()) return &group->files[static_cast<size_t>(index)];
        index -= group->files.size();
    }
    return nullptr;
}

const ProcEntry* child_named(const ProcEntry& entry, std::string_view name) {
    for (const ProcEntry& child : entry.children)
        if (child.name == name) return &child;
    for (const ProcGroup* group = entry.added ? entry.added->first : nullptr; group;
         group = group->next)
        for (const ProcEntry& child : group->files)
            if (child.name == name) return &child;
    return nullptr;
}

// The number that a name is the text of; -1: it isn't.
int number_named(std::string_view name) {
    if (name.empty() || name.size() > 9 || (name[0] == '0' && name.size() > 1)) return -1;
    int number = 0;
    for (char c : name) {
        if (c < '0' || c > '9') return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

}  // namespace

ProcNode::ProcNode(FileSystem& fs, const ProcEntry& entry, const ProcTarget& target,
                   uint32_t parent, uint32_t uid, uint32_t gid)
    : Inode(fs), entry_(entry), target_(target), parent_(parent) {
    attributes_.mode = entry.whole_mode();
    attributes_.uid = uid;
    attributes_.gid = gid;
    attributes_.links = attributes_.is_directory() ? 2 : 1;
    attributes_.device = fs.device_number();
    attributes_.inode = InodeNo(number_of(entry, target));
    attributes_.accessed = attributes_.modified = attributes_.changed = timestamp_now();
}

Result<Ref<File>> ProcNode::open(uint32_t flags) {
    if (attributes_.is_directory()) return TRY(make_ref<DirectoryFile>(flags, *this));
    const ProcessSource& source = process_source();
    if (entry_.inspects && !source.may_inspect(target_.pid)) return Errno::acces;
    ProcTarget target = target_;
    if (entry_.acts_on_user) target.pid = source.current();
    if (entry_.inspects || entry_.acts_on_user) target.program = source.program(target.pid);
    if (entry_.open) return entry_.open(flags, *this, target);
    Ref<TextFile> file = TRY(make_ref<TextFile>(flags, *this, entry_, target));
    if (entry_.rendered_by_open) TRY(file->render());
    return Ref<File>(file);
}

Result<Ref<Inode>> ProcNode::make_child(const ProcEntry& entry, const ProcTarget& target) {
    uint32_t uid = attributes_.uid, gid = attributes_.gid;
    if (target.pid != target_.pid) {
        const ProcessInfo info = TRY(process_source().info(target.pid));
        const bool own = info.dumpable || target.pid == process_source().current();
        uid = own ? info.credentials.euid : 0;
        gid = own ? info.credentials.egid : 0;
    }
    const uint32_t parent = attributes_.inode.raw();
    return TRY(make_ref<ProcNode>(file_system(), entry, target, parent, uid, gid));
}

Result<Ref<Inode>> ProcNode::lookup_child(std::string_view name) {
    if (!attributes_.is_directory()) return Errno::notdir;
    if (const ProcEntry* child = child_named(entry_, name); child && exists(*child, target_))
        return make_child(*child, target_);
    if (entry_.names)
        if (const int which = position_of(*entry_.names, target_, name); which >= 0)
            return make_child(entry_.names->entry, with_name(target_, *entry_.names, which));
    const ProcNumbers* numbers = entry_.numbers;
    const int number = number_named(name);
    if (!numbers || number < 0) return Errno::noent;
    ProcTarget target = with_number(target_, *numbers, number);
    if (numbers->next(target_, number) != number &&
        !(numbers->find && numbers->find(target = target_, number)))
        return Errno::noent;
    Result<Ref<Inode>> child = make_child(numbers->entry, target);
    if (child.is_error() && child.error() == Errno::srch) return Errno::noent;
    return child;
}

// Offsets: 0 ".", 1 "..", 2 the first name of the table, from kNames on those that are found at run
// time, and from kNumbers on the numbers.
Result<uint64_t> ProcNode::list(DirectorySink& sink, uint64_t offset) {
    constexpr uint64_t kNames = 0x800, kNumbers = 0x1000;
    constexpr uint32_t kDirectory = kTypeDirectory >> 12;
    if (offset == 0) {
        if (!sink.add(".", attributes_.inode, kDirectory, 1)) return offset;
        offset = 1;
    }
    if (offset == 1) {
        if (!sink.add("..", InodeNo(parent_), kDirectory, 2)) return offset;
        offset = 2;
    }
    for (; const ProcEntry* child = child_at(entry_, offset - 2); ++offset) {
        const InodeNo number(number_of(*child, target_));
        if (!exists(*child, target_)) continue;
        if (!sink.add(child->name, number, child->whole_mode() >> 12, offset + 1)) return offset;
    }
    if (const ProcNames* names = entry_.names) {
        if (offset < kNames) offset = kNames;
        for (int which; offset < kNumbers; ++offset) {
            which = static_cast<int>(offset - kNames);
            char room[kNameRoom];
            const std::string_view name = names->name(target_, which, std::span(room));
            if (name.empty()) break;
            if (name == kLeftOut) continue;
            const InodeNo number(number_of(names->entry, with_name(target_, *names, which)));
            if (!sink.add(name, number, names->entry.whole_mode() >> 12, offset + 1)) return offset;
        }
    }
    const ProcNumbers* numbers = entry_.numbers;
    if (!numbers) return offset;
    if (offset < kNumbers) offset = kNumbers;
    while (offset - kNumbers <= INT32_MAX) {
        const int next = numbers->next(target_, static_cast<int>(offset - kNumbers));
        if (next < 0) break;
        char text[12];
        const InodeNo number(number_of(numbers->entry, with_number(target_, *numbers, next)));
        const uint64_t after = kNumbers + static_cast<uint32_t>(next) + 1;
        if (!sink.add(format_in(text, "{}", next), number, numbers->entry.whole_mode() >> 12,
                      after))
            break;
        offset = after;
    }
    return offset;
}

Result<uint32_t> ProcNode::read_link(std::span<char> buffer) {
    BufferSink sink(buffer);
    if (entry_.text) {
        entry_.text(sink, target_);
        return static_cast<uint32_t>(sink.view().size());
    }
    if (!entry_.place) return Errno::inval;
    Result<Path> place = entry_.place(target_);
    if (place.is_ok()) {
        struct Text {
            char bytes[kMaxPath];
        };
        Box<Text> text(new (std::nothrow) Text);
        if (!text) return Errno::nomem;
        sink.put(TRY(path_name(process_source().current_context(), place.value(), text->bytes)));
    } else {
        if (place.error() != Errno::inval || !entry_.file) return place.error();
        Ref<File> file = TRY(entry_.file(target_));
        const Attributes a = TRY(file->attributes());
        if (std::string_view text = file->link_text(); !text.empty())
            sink.put(text);
        else
            format_to(sink, (a.mode & kTypeMask) == kTypeFifo ? "pipe:[{}]" : "socket:[{}]",
                      a.inode);
    }
    return static_cast<uint32_t>(sink.view().size());
}

Result<Path> ProcNode::follow_magic_link() {
    if (!entry_.place) return Errno::inval;
    return entry_.place(target_);
}

Result<Ref<File>> ProcNode::open_magic_link(uint32_t flags) {
    if (!entry_.file) return Errno::inval;
    Ref<File> file = TRY(entry_.file(target_));
    if (flags & kOpenPath) return file;
    const uint32_t access = flags & kOpenAccessMode;
    if (access != kOpenWriteOnly && !file->readable()) return Errno::acces;
    if (access != kOpenReadOnly && !file->writable()) return Errno::acces;
    return file;
}
