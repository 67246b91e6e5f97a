// How a room below reaches rooms above that it does not know.
// HookList: functions that are called when something happens. Hooks are added at start-up only.
// Attachments: data that rooms above keep with one object of a room below, a piece of each kind.
// Locks: none. An attachment is added atomically and stays until its owner is destroyed.
#pragma once

#include "kernel/lib/ref.hpp"

template <typename... Args>
class HookList {
  public:
    struct Hook {
        void (*call)(Args... args);
        Hook* next = nullptr;
    };
    void add(Hook& hook) {
        hook.next = first_;
        first_ = &hook;
    }
    void operator()(Args... args) const {
        for (Hook* hook = first_; hook; hook = hook->next) hook->call(args...);
    }

  private:
    Hook* first_ = nullptr;
};

// Each class that derives from it has a `static constexpr char kKind`, whose address names it.
class Attachment {
  public:
    virtual ~Attachment() = default;

  private:
    friend class Attachments;
    const void* kind_ = nullptr;
    Attachment* next_ = nullptr;
};

class Attachments {
  public:
    Attachments() = default;
    Attachments(const Attachments&) = delete;
    ~Attachments() {
        for (Attachment* at = first_.load(); at;) delete std::exchange(at, at->next_);
    }
    // Null: there is none of this class.
    template <typename T>
    T* get() const {
        for (Attachment* at = first_.load(); at; at = at->next_)
            if (at->kind_ == &T::kKind) return static_cast<T*>(at);
        return nullptr;
    }
    // Made by the first that needs it. ENOMEM.
    template <typename T, typename... Args>
    Result<T*> get_or_make(Args&&... args) {
        if (T* there = get<T>()) return there;
        Box<T> fresh = TRY(make_box<T>(static_cast<Args&&>(args)...));
        fresh->kind_ = &T::kKind;
        fresh->next_ = first_.load();
        for (;;) {
            if (T* there = get<T>()) return there;
            Attachment* expected = fresh->next_;
            if (first_.replace(expected, fresh.get())) return fresh.leak();
            fresh->next_ = expected;
        }
    }

  private:
    Atomic<Attachment*> first_ = nullptr;
};
