// Intrusive doubly linked list. An element embeds a ListNode per list it may be on, so that
// linking never allocates and unlinking is O(1) from the element alone.
// Nothing is destroyed with a list or a node: static ones need no destructor to be registered.
// Locks: none; the owner of the list guards it.
#pragma once

#include "kernel/lib/verify.hpp"

struct ListNode {
    ListNode* prev = nullptr;
    ListNode* next = nullptr;

    constexpr ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;

    bool linked() const { return next != nullptr; }
    void unlink() {
        VERIFY(linked());
        prev->next = next;
        next->prev = prev;
        prev = next = nullptr;
    }
};

template <typename T, ListNode T::*Member>
class List {
  public:
    constexpr List() { head_.prev = head_.next = &head_; }

    bool empty() const { return head_.next == &head_; }
    T* front() const { return empty() ? nullptr : element(head_.next); }
    T* back() const { return empty() ? nullptr : element(head_.prev); }
    void push_back(T& item) { insert(&(item.*Member), head_.prev); }
    void push_front(T& item) { insert(&(item.*Member), &head_); }
    static void insert_after(T& where, T& item) { insert(&(item.*Member), &(where.*Member)); }
    static void remove(T& item) { (item.*Member).unlink(); }
    static bool contains(const T& item) { return (item.*Member).linked(); }

    T* pop_front() {
        T* item = front();
        if (item) remove(*item);
        return item;
    }
    T* next(const T& item) const {
        ListNode* node = (item.*Member).next;
        return node == &head_ ? nullptr : element(node);
    }
    T* previous(const T& item) const {
        ListNode* node = (item.*Member).prev;
        return node == &head_ ? nullptr : element(node);
    }
    // Moves all elements of `other` to the end of this list. O(1).
    void splice_back(List& other) {
        if (other.empty()) return;
        ListNode *first = other.head_.next, *last = other.head_.prev;
        other.head_.next = other.head_.prev = &other.head_;
        first->prev = head_.prev;
        head_.prev->next = first;
        last->next = &head_;
        head_.prev = last;
    }

    // The element itself may be removed while iterating; its neighbours may not.
    class Iterator {
      public:
        Iterator(ListNode* at) : at_(at), next_(at->next) {}
        T& operator*() const { return *element(at_); }
        T* operator->() const { return element(at_); }
        Iterator& operator++() {
            at_ = next_;
            next_ = at_->next;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

      private:
        ListNode* at_;
        ListNode* next_;
    };
    Iterator begin() { return Iterator(head_.next); }
    Iterator end() { return Iterator(&head_); }

  private:
    static T* element(ListNode* node) {
        const T* zero = nullptr;
        auto offset =
            reinterpret_cast<const char*>(&(zero->*Member)) - reinterpret_cast<const char*>(zero);
        return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
    }
    static void insert(ListNode* node, ListNode* after) {
        VERIFY(!node->linked());
        node->prev = after;
        node->next = after->next;
        after->next->prev = node;
        after->next = node;
    }
    mutable ListNode head_;
};
