// /dev/resources: see kernel/uapi/resources.h. Locks: the manager's, for each operation.
#include "fs/dev/device_files.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constexpr uint32_t kMaxAmounts = 1024;

struct List {  // struct res_list as a program passes it
    uint32_t count, amounts;
};

class ResourceFile final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    ~ResourceFile() override {
        if (!joined_) return;
        LockGuard guard(resources_lock);
        manager().leave(member_);
    }
    Result<void> join() {
        LockGuard guard(resources_lock);
        TRY(manager().join(member_));
        joined_ = true;
        return {};
    }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override;

  private:
    Result<int32_t> add_type(uint32_t argument);
    Result<int32_t> on_list(uint32_t request, uint32_t argument);
    Result<void> claim(std::span<const res_amount> amounts) REQUIRES(resources_lock);
    Result<void> request(std::span<const res_amount> amounts) REQUIRES(resources_lock);
    Result<void> release(std::span<const res_amount> amounts) REQUIRES(resources_lock);
    Result<void> produce(std::span<const res_amount> amounts) REQUIRES(resources_lock);
    static bool known(std::span<const res_amount> amounts) REQUIRES(resources_lock);
    Units held(uint32_t t) const REQUIRES(resources_lock) {
        return manager().table.held(member_.party, t);
    }

    ResourceManager::Member member_;
    bool joined_ = false;
};

Result<int32_t> ResourceFile::ioctl(uint32_t request, uint32_t argument) {
    switch (request) {
        case RES_ADD_TYPE: return add_type(argument);
        case RES_NAME: {
            char name[16];
            TRY(copy_from_user(name, VirtAddr(argument), sizeof name));
            name[15] = 0;
            LockGuard guard(resources_lock);
            __builtin_memcpy(member_.name, name, sizeof name);
            return 0;
        }
        case RES_PARTY: return static_cast<int32_t>(member_.party);
        case RES_CLAIM:
        case RES_REQUEST:
        case RES_RELEASE:
        case RES_PRODUCE:
        case RES_HELD: return on_list(request, argument);
        default: return Errno::notty;
    }
}

Result<int32_t> ResourceFile::add_type(uint32_t argument) {
    res_type type = TRY(read_user(UserPtr<res_type>(argument)));
    type.name[15] = 0;
    if ((!type.units && !type.consumable) || type.units > INT32_MAX) return Errno::inval;
    LockGuard guard(resources_lock);
    return static_cast<int32_t>(
        TRY(manager().table.add_type(type.name, type.units, type.preemptible != 0,
                                     type.weight ? type.weight : 1, type.consumable != 0)));
}

Result<int32_t> ResourceFile::on_list(uint32_t request_number, uint32_t argument) {
    List list = TRY(read_user(UserPtr<List>(argument)));
    if (list.count > kMaxAmounts) return Errno::inval;
    Vector<res_amount> amounts;
    TRY(amounts.resize(list.count));
    const uint32_t bytes = list.count * sizeof(res_amount);
    TRY(copy_from_user(amounts.data(), VirtAddr(list.amounts), bytes));
    {
        LockGuard guard(resources_lock);
        if (!known(amounts.span())) return Errno::inval;
        member_.pid = deadlock_caller ? deadlock_caller() : 0;
        manager().table.party(member_.party).nice = Thread::current().sched.nice;
        switch (request_number) {
            case RES_CLAIM: TRY(claim(amounts.span())); break;
            case RES_REQUEST: TRY(request(amounts.span())); break;
            case RES_RELEASE: TRY(release(amounts.span())); break;
            case RES_PRODUCE: TRY(produce(amounts.span())); break;
            default:
                for (res_amount& a : amounts) a.units = held(a.type);
        }
    }
    if (request_number == RES_HELD)
        TRY(copy_to_user(VirtAddr(list.amounts), amounts.data(), bytes));
    return 0;
}

// Types that exist, each once, and no more than there are.
bool ResourceFile::known(std::span<const res_amount> amounts) {
    for (size_t i = 0; i < amounts.size(); ++i) {
        const res_amount& a = amounts[i];
        if (a.type >= manager().table.types()) return false;
        const ResourceTable::Type& type = manager().table.type(a.type);
        if (a.units > (type.consumable ? INT32_MAX : type.total)) return false;
        for (size_t j = 0; j < i; ++j)
            if (amounts[j].type == a.type) return false;
    }
    return true;
}

Result<void> ResourceFile::claim(std::span<const res_amount> amounts) {
    for (const res_amount& a : amounts)
        if (a.units < held(a.type) || manager().table.type(a.type).consumable) return Errno::inval;
    for (const res_amount& a : amounts) manager().table.set_max(member_.party, a.type, a.units);
    return {};
}

Result<void> ResourceFile::request(std::span<const res_amount> amounts) {
    ResourceTable& table = manager().table;
    const uint32_t p = member_.party;
    if (table.party(p).waits) return Errno::busy;  // another thread of it waits already
    bool claims = false;
    for (uint32_t t = 0; t < table.types(); ++t) claims |= table.max(p, t) > table.held(p, t);
    const bool consumable = !amounts.empty() && table.type(amounts[0].type).consumable;
    for (const res_amount& a : amounts) {
        if (table.type(a.type).consumable != consumable) return Errno::inval;
        if (consumable) continue;
        if (a.units > table.type(a.type).total - held(a.type)) return Errno::inval;
        if (claims && a.units > table.need(p, a.type)) return Errno::inval;
    }
    for (const res_amount& a : amounts) table.set_wanted(p, a.type, a.units);
    return manager().request(member_, non_blocking());
}

Result<void> ResourceFile::release(std::span<const res_amount> amounts) {
    for (const res_amount& a : amounts)
        if (a.units > held(a.type)) return Errno::inval;
    for (const res_amount& a : amounts) manager().table.take_back(member_.party, a.type, a.units);
    if (amounts.empty())
        for (uint32_t t = 0; t < manager().table.types(); ++t)
            manager().table.take_back(member_.party, t, held(t));
    manager().serve_waiters();
    return {};
}

Result<void> ResourceFile::produce(std::span<const res_amount> amounts) {
    for (const res_amount& a : amounts) {
        const ResourceTable::Type& type = manager().table.type(a.type);
        if (!type.consumable || a.units > INT32_MAX - type.available) return Errno::inval;
    }
    for (const res_amount& a : amounts) manager().table.produce(member_.party, a.type, a.units);
    manager().serve_waiters();
    return {};
}

Result<Ref<File>> open_resources(Inode& node, uint32_t, uint32_t flags) {
    Ref<ResourceFile> file = TRY(make_ref<ResourceFile>(flags, node));
    TRY(file->join());
    return Ref<File>(std::move(file));
}

constinit CharacterDevice resources{kResourceMajor, 0, 1, open_resources};

}  // namespace

void deadlock_device_init() {
    resource_manager = new (std::nothrow) ResourceManager;
    VERIFY(resource_manager);
    register_character_device(resources);
}
