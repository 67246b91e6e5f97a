// ResourceTable: the matrices that every deadlock strategy decides by: how many units of each type
// there are and are free, and what each party (a process that takes part) may want at most (max),
// holds, and waits for. Need = max - held.
// A unit of a consumable type is gone once it was granted, and nobody holds any.
// Invariant: for each other type, available + what all parties hold = total; held <= max.
// Pure: no lock (the manager's), no clock; memory only when a type or party is added.
// Spec: Dijkstra, EWD 123, "Co-operating Sequential Processes", section 6 (the banker).
#pragma once

#include <string_view>

#include "kernel/lib/vector.hpp"

using Units = uint32_t;

class ResourceTable {
  public:
    struct Type {
        char name[16] = {};
        Units total = 0, available = 0;
        uint32_t weight = 1;  // what a unit counts in the cost of recovery
        bool preemptible = false, consumable = false;
        bool used = false;
    };
    struct Party {
        bool used = false, waits = false;
        uint32_t grants = 0;  // since it joined: the work that its end would lose
        uint32_t times_victim = 0;
        uint64_t joined = 0;  // its place in the order of joining
        int nice = 0;         // of the process that asked last
    };

    // Numbers of removed ones are given out again. ENOMEM.
    Result<uint32_t> add_type(std::string_view name, Units total, bool preemptible,
                              uint32_t weight = 1, bool consumable = false);
    Result<uint32_t> add_party();
    void remove_party(uint32_t party);  // what it held is available again

    uint64_t joined() const { return joined_; }  // how many parties ever did
    uint32_t types() const { return types_.size(); }
    uint32_t parties() const { return parties_.size(); }
    const Type& type(uint32_t t) const { return types_[t]; }
    Party& party(uint32_t p) { return parties_[p]; }
    const Party& party(uint32_t p) const { return parties_[p]; }

    Units max(uint32_t p, uint32_t t) const { return cell(p, t).max; }
    Units held(uint32_t p, uint32_t t) const { return cell(p, t).held; }
    Units wanted(uint32_t p, uint32_t t) const { return cell(p, t).wanted; }
    Units need(uint32_t p, uint32_t t) const { return max(p, t) - held(p, t); }
    bool holds_any(uint32_t p) const;
    bool produces(uint32_t p, uint32_t t) const { return cell(p, t).produces; }
    bool takes_part(uint32_t p) const;  // it claims, holds, wants or produces something
    bool wants_consumables(uint32_t p) const;

    void set_max(uint32_t p, uint32_t t, Units units) { cell(p, t).max = units; }
    void set_wanted(uint32_t p, uint32_t t, Units units) { cell(p, t).wanted = units; }
    void clear_wanted(uint32_t p);
    // What it wants is free: it holds it now, and waits no more.
    bool wants_any(uint32_t p) const;
    bool wanted_available(uint32_t p) const;
    void grant(uint32_t p);
    // The units change hands and `wanted` stays, for a look at what would be; and back again.
    void try_grant(uint32_t p) { shift(p, false); }
    void undo_grant(uint32_t p) { shift(p, true); }
    void take_back(uint32_t p, uint32_t t, Units units);
    void produce(uint32_t p, uint32_t t, Units units);

    // Scratch space for the algorithms, as large as the table, so that deciding needs no memory.
    std::span<Units> work() const { return {work_.data(), work_.size()}; }
    std::span<uint8_t> finish() const { return {finish_.data(), finish_.size()}; }

  private:
    struct Cell {
        Units max = 0, held = 0, wanted = 0;
        bool produces = false;
    };
    void shift(uint32_t p, bool back);
    const Cell& cell(uint32_t p, uint32_t t) const { return rows_[p][t]; }
    Cell& cell(uint32_t p, uint32_t t) { return rows_[p][t]; }

    uint64_t joined_ = 0;
    Vector<Type> types_;
    Vector<Party> parties_;
    Vector<Vector<Cell>> rows_;  // [party][type]
    mutable Vector<Units> work_;
    mutable Vector<uint8_t> finish_;
};
