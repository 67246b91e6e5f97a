// See user_account.hpp.
#include "fs/user_account.hpp"

#include "kernel/sync/spin_lock.hpp"

namespace {
constinit IrqSpinLock accounts_lock{LockRank::user_accounts};
constinit List<UserAccount, &UserAccount::table_node> accounts GUARDED_BY(accounts_lock);
Ref<UserAccount> no_account() { return nullptr; }
}  // namespace

Ref<UserAccount> (*current_account)() = no_account;

Result<Ref<UserAccount>> UserAccount::of(uint32_t uid) {
    Ref<UserAccount> fresh = TRY(make_ref<UserAccount>(uid));
    LockGuard guard(accounts_lock);
    for (UserAccount& account : accounts)
        if (account.uid == uid && account.try_add_ref()) return Ref<UserAccount>::adopt(&account);
    accounts.push_back(*fresh);
    return fresh;
}

void UserAccount::last_reference_dropped() const {
    {
        LockGuard guard(accounts_lock);
        if (table_node.linked()) accounts.remove(const_cast<UserAccount&>(*this));
    }
    delete this;
}
