// Result<T>: a value or an Errno. The only way an operation that may fail reports it; our own bugs
// VERIFY instead. TRY(expression) yields the value, or returns the error from the caller.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "kernel/lib/errno.hpp"
#include "kernel/lib/verify.hpp"

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(Errno error) : error_(error), ok_(false) {}
    Result(const T& value) : value_(value), ok_(true) {}
    Result(T&& value) : value_(std::move(value)), ok_(true) {}
    template <typename U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Errno> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
        : value_(std::forward<U>(value)), ok_(true) {}

    Result(Result&& other) : ok_(other.ok_) {
        if (ok_)
            new (&value_) T(std::move(other.value_));
        else
            error_ = other.error_;
    }
    Result(const Result&) = delete;
    Result& operator=(const Result&) = delete;
    Result& operator=(Result&&) = delete;
    ~Result() {
        if (ok_) value_.~T();
    }

    bool is_ok() const { return ok_; }
    bool is_error() const { return !ok_; }
    explicit operator bool() const { return ok_; }
    Errno error() const {
        VERIFY(!ok_);
        return error_;
    }
    T& value() {
        VERIFY(ok_);
        return value_;
    }
    const T& value() const {
        VERIFY(ok_);
        return value_;
    }
    T release_value() {
        VERIFY(ok_);
        return std::move(value_);
    }
    T value_or(T fallback) const { return ok_ ? value_ : fallback; }

  private:
    union {
        T value_;
        Errno error_;
    };
    bool ok_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Errno error) : error_(error) {}
    bool is_ok() const { return error_ == Errno{}; }
    bool is_error() const { return !is_ok(); }
    explicit operator bool() const { return is_ok(); }
    Errno error() const {
        VERIFY(is_error());
        return error_;
    }
    void value() const { VERIFY(is_ok()); }
    void release_value() const { VERIFY(is_ok()); }

  private:
    Errno error_{};
};

#define TRY(expression)                          \
    ({                                           \
        auto try_result_ = (expression);         \
        if (try_result_.is_error()) [[unlikely]] \
            return try_result_.error();          \
        try_result_.release_value();             \
    })
