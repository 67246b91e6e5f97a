// Ownership: Box<T> owns one heap object; Ref<T> shares one that counts its references itself
// (RefCounted). `make_box` and `make_ref` fail with ENOMEM instead of throwing.
// Locks: the count is atomic; the object's own data is guarded by whatever it says.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/result.hpp"

template <typename T>
class Box {
  public:
    Box() = default;
    Box(std::nullptr_t) {}
    explicit Box(T* pointer) : pointer_(pointer) {}
    template <typename U>
    requires std::is_convertible_v<U*, T*> Box(Box<U>&& other) : pointer_(other.leak()) {}
    Box(Box&& other) : pointer_(other.leak()) {}
    Box& operator=(Box&& other) {
        Box dead(std::exchange(pointer_, other.leak()));
        return *this;
    }
    ~Box() { delete pointer_; }
    T* leak() { return std::exchange(pointer_, nullptr); }
    T* get() const { return pointer_; }
    T& operator*() const { return *pointer_; }
    T* operator->() const { return pointer_; }
    explicit operator bool() const { return pointer_ != nullptr; }

  private:
    T* pointer_ = nullptr;
};

class RefCounted {
  public:
    RefCounted() = default;
    RefCounted(const RefCounted&) = delete;
    RefCounted& operator=(const RefCounted&) = delete;
    // Returns how many references there were before.
    uint32_t add_ref() const { return references_.fetch_add(1); }
    // True when the caller dropped the last reference and has to destroy the object.
    bool drop_ref() const { return references_.subtract(1) == 0; }
    // For tables of objects that they don't own: false if the last reference is gone already.
    bool try_add_ref() const {
        uint32_t count = ref_count();
        while (count && !references_.replace(count, count + 1)) {
        }
        return count != 0;
    }
    uint32_t ref_count() const { return references_.relaxed(); }

  protected:
    // A class that is kept by something beside its references (a cache, say) overrides this.
    virtual ~RefCounted() = default;
    virtual void last_reference_dropped() const { delete this; }
    template <typename T>
    friend class Ref;

  private:
    mutable Atomic<uint32_t> references_ = 1;  // the creator's, which `Ref::adopt` takes over
};

template <typename T>
class Ref {
  public:
    Ref() = default;
    Ref(std::nullptr_t) {}
    explicit Ref(T* pointer) : pointer_(pointer) {
        if (pointer_) pointer_->add_ref();
    }
    Ref(T& object) : Ref(&object) {}
    Ref(const Ref& other) : Ref(other.pointer_) {}
    Ref(Ref&& other) : pointer_(other.leak()) {}
    template <typename U>
    requires std::is_convertible_v<U*, T*> Ref(const Ref<U>& other)
        : Ref(static_cast<T*>(other.get())) {}
    template <typename U>
    requires std::is_convertible_v<U*, T*> Ref(Ref<U>&& other) : pointer_(other.leak()) {}
    Ref& operator=(Ref other) {
        std::swap(pointer_, other.pointer_);
        return *this;
    }
    ~Ref() {
        if (pointer_ && pointer_->drop_ref())
            static_cast<const RefCounted*>(pointer_)->last_reference_dropped();
    }
    static Ref adopt(T* pointer) {
        Ref ref;
        ref.pointer_ = pointer;
        return ref;
    }
    T* leak() { return std::exchange(pointer_, nullptr); }
    T* get() const { return pointer_; }
    T& operator*() const { return *pointer_; }
    T* operator->() const { return pointer_; }
    explicit operator bool() const { return pointer_ != nullptr; }
    bool operator==(const Ref& other) const { return pointer_ == other.pointer_; }

  private:
    T* pointer_ = nullptr;
};

template <typename T, typename... Args>
Result<Box<T>> make_box(Args&&... args) {
    T* object = new (std::nothrow) T(std::forward<Args>(args)...);
    if (!object) return Errno::nomem;
    return Box<T>(object);
}
template <typename T, typename... Args>
Result<Ref<T>> make_ref(Args&&... args) {
    T* object = new (std::nothrow) T(std::forward<Args>(args)...);
    if (!object) return Errno::nomem;
    return Ref<T>::adopt(object);
}
