// Who of readers and writers may go in, as a class without locks or threads: the monitor's solution
// asks it, and tests/host/model_test.cpp tries all orders of events on it.
//   readers  a reader goes in unless a writer is inside: writers may starve
//   writers  a reader waits while a writer is inside or waits: readers may starve
//   fair     all in the order of arrival, neighbouring readers together: nobody waits for more than
//            those who came before
#pragma once

enum class Preference { readers, writers, fair };

class ReadersWriters {
  public:
    static constexpr int kMost = 16;  // that may wait

    explicit ReadersWriters(Preference preference) : preference_(preference) {}

    // Whether `who` may go in at once; else it waits until leave() names it.
    bool arrive(int who, bool writes) {
        const bool queue_holds =
            preference_ == Preference::fair
                ? waiting_ > 0
                : preference_ == Preference::writers && !writes && writers_wait();
        if (!queue_holds && room_for(writes)) {
            enter(writes);
            return true;
        }
        queue_[waiting_++] = {who, writes};
        return false;
    }
    // admit(who) for each that goes in now.
    template <typename F>
    void leave(bool writes, F&& admit) {
        (writes ? writers_ : readers_)--;
        for (int i; (i = next()) >= 0;) {
            const Entry entry = queue_[i];
            for (--waiting_; i < waiting_; ++i) queue_[i] = queue_[i + 1];
            enter(entry.writes);
            admit(entry.who);
        }
    }
    int readers() const { return readers_; }
    int writers() const { return writers_; }
    int waiting() const { return waiting_; }

  private:
    struct Entry {
        int who;
        bool writes;
    };
    bool room_for(bool writes) const { return writers_ == 0 && (!writes || readers_ == 0); }
    bool writers_wait() const {
        for (int i = 0; i < waiting_; ++i)
            if (queue_[i].writes) return true;
        return false;
    }
    void enter(bool writes) { ++(writes ? writers_ : readers_); }
    int first(bool writes) const {
        for (int i = 0; i < waiting_; ++i)
            if (queue_[i].writes == writes) return i;
        return -1;
    }
    // The place of who goes in next, -1: nobody may.
    int next() const {
        if (waiting_ == 0) return -1;
        int i = 0;
        if (preference_ != Preference::fair) {
            const bool preferred = preference_ == Preference::writers;
            i = first(preferred);
            if (i < 0) i = first(!preferred);
        }
        return room_for(queue_[i].writes) ? i : -1;
    }

    Preference preference_;
    int readers_ = 0, writers_ = 0, waiting_ = 0;
    Entry queue_[kMost];
};
