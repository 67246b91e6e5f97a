// What people see of the resource manager: /proc/deadlock (the state as text; written `detect`: looks
// for deadlocks now), /proc/deadlock.dot (the allocation graph for Graphviz), and the settings in
// /proc/sys/kernel/deadlock. Formats: docs/deadlock.md. Locks: the manager's while text is made.
#include <algorithm>

#include "fs/proc/policy_file.hpp"
#include "fs/wait_edges.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/deadlock/strategies.hpp"
#include "kernel/deadlock/wait_graph.hpp"
#include "kernel/trace/trace.hpp"

namespace {

constexpr std::string_view kDetections[] = {"block", "periodic", "demand"};
constexpr std::string_view kCures[] = {"fail", "kill", "nothing"};

void put_row(TextSink& to, std::string_view title, std::span<const Units> row)
    REQUIRES(resources_lock) {
    to.put(title);
    for (uint32_t t = 0; t < row.size(); ++t)
        if (manager().table.type(t).used) format_to(to, " {}", row[t]);
}

template <typename Cell>
void put_cells(TextSink& to, std::string_view title, Cell&& cell) REQUIRES(resources_lock) {
    to.put(title);
    for (uint32_t t = 0; t < manager().table.types(); ++t)
        if (manager().table.type(t).used) format_to(to, " {}", cell(t));
}

void put_name(TextSink& to, uint32_t p) REQUIRES(resources_lock) {
    const ResourceManager::Member* m = manager().members[p];
    if (m && m->name[0])
        to.put(static_cast<const char*>(m->name));
    else
        format_to(to, "party{}", p);
}

class SafetyRows final : public SafetySteps {
  public:
    explicit SafetyRows(TextSink& to) : to_(to) {}
    void step(uint32_t p, std::span<const Units> work) override REQUIRES(resources_lock) {
        const ResourceTable& table = manager().table;
        if (!table.takes_part(p)) return;
        to_.put("safe ");
        put_name(to_, p);
        put_row(to_, " work", work);
        put_cells(to_, " need",
                  [&](uint32_t t) REQUIRES(resources_lock) { return table.need(p, t); });
        put_cells(to_, " allocation",
                  [&](uint32_t t) REQUIRES(resources_lock) { return table.held(p, t); });
        put_cells(to_, " work_after",
                  [&](uint32_t t) REQUIRES(resources_lock) { return work[t] + table.held(p, t); });
        to_.put("\n");
    }

  private:
    TextSink& to_;
};

void put_party(TextSink& to, uint32_t p) REQUIRES(resources_lock) {
    const ResourceTable& table = manager().table;
    to.put("party ");
    put_name(to, p);
    format_to(to, " pid {}", manager().members[p]->pid);
    put_cells(to, " max", [&](uint32_t t) REQUIRES(resources_lock) { return table.max(p, t); });
    put_cells(to, " held", [&](uint32_t t) REQUIRES(resources_lock) { return table.held(p, t); });
    put_cells(to, " wanted",
              [&](uint32_t t) REQUIRES(resources_lock) { return table.wanted(p, t); });
    format_to(to, " cost {} state {}\n", recovery_cost(table, p),
              table.party(p).waits ? answer_text(manager().members[p]->answer) : "runs");
}

void show_state(TextSink& to) {
    LockGuard guard(resources_lock);
    ResourceTable& table = manager().table;
    const auto& counts = manager().counts;
    format_to(to,
              "strategy {}\nrequests {} waits {} detections {} deadlocks {} victims {} taken {}\n",
              manager().strategy().name(), counts.requests, counts.waits, counts.detections,
              counts.deadlocks, counts.victims, counts.taken_away);
    for (uint32_t t = 0; t < table.types(); ++t) {
        const ResourceTable::Type& type = table.type(t);
        if (!type.used) continue;
        format_to(to, "type {} {} units {} available {} weight {}{}\n", t,
                  static_cast<const char*>(type.name), type.total, type.available, type.weight,
                  type.preemptible  ? " preemptible"
                  : type.consumable ? " consumable"
                                    : "");
    }
    for (uint32_t p = 0; p < table.parties(); ++p)
        if (table.party(p).used && table.takes_part(p)) put_party(to, p);
    if (const auto& v = manager().last_victim; v.among)
        format_to(to, "victim {} pid {} rule {} least {} among {}{}\n",
                  static_cast<const char*>(v.name), v.pid,
                  kVictimRules[static_cast<uint32_t>(v.rule)], v.cost, v.among,
                  v.taken_from ? " taken" : "");
    SafetyRows rows(to);
    format_to(to, "state {}\n", is_safe(table, &rows) ? "safe" : "unsafe");
    if (reduce(table)) {
        to.put("deadlocked");
        for (uint32_t p = 0; p < table.parties(); ++p)
            if (!table.finish()[p]) to.put(" "), put_name(to, p);
        to.put("\n");
    }
}

void put_type_node(TextSink& to, uint32_t t) REQUIRES(resources_lock) {
    const ResourceTable::Type& type = manager().table.type(t);
    format_to(to, "  r{} [shape=box label=\"{} {}", t, static_cast<const char*>(type.name),
              type.available);
    if (type.consumable)
        to.put("\" style=dashed];\n");
    else
        format_to(to, "/{}\"];\n", type.total);
}

// Parties are circles, types boxes; an edge to a party is what it holds, one from it what it waits
// for; deadlocked parties are red. A dotted edge: the party makes units of a consumable type.
void put_allocation_graph(TextSink& to) {
    LockGuard guard(resources_lock);
    const ResourceTable& table = manager().table;
    reduce(table);
    for (uint32_t t = 0; t < table.types(); ++t)
        if (table.type(t).used) put_type_node(to, t);
    for (uint32_t p = 0; p < table.parties(); ++p) {
        if (!table.party(p).used || !table.takes_part(p)) continue;
        format_to(to, "  p{} [shape=circle label=\"", p);
        put_name(to, p);
        to.put(table.finish()[p] ? "\"];\n" : "\" color=red];\n");
        for (uint32_t t = 0; t < table.types(); ++t) {
            if (table.held(p, t))
                format_to(to, "  r{} -> p{} [label={}];\n", t, p, table.held(p, t));
            if (table.wanted(p, t))
                format_to(to, "  p{} -> r{} [label={} style=dashed];\n", p, t, table.wanted(p, t));
            if (table.produces(p, t)) format_to(to, "  p{} -> r{} [style=dotted];\n", p, t);
        }
    }
}

// A setting that is one of some names. The watcher may have to act on it.
template <const auto& names, auto ResourceManager::*setting, bool is_watched>
constexpr ProcEntry setting_file(std::string_view name) {
    return {.name = name,
            .show =
                [](TextSink& to) {
                    PolicyChoice::show_names(to, names, static_cast<uint32_t>(manager().*setting));
                },
            .store = [](std::string_view word) -> Result<void> {
                const auto* const found = std::ranges::find(names, word);
                if (found == std::end(names)) return Errno::inval;
                if (is_watched) TRY(start_deadlock_watcher());
                LockGuard guard(resources_lock);
                using Setting = std::remove_reference_t<decltype(manager().*setting)>;
                manager().*setting = static_cast<Setting>(found - std::begin(names));
                if (is_watched) deadlock_look_soon();
                return {};
            }};
}

Result<void> set_period(std::string_view text) {
    const uint32_t ms = TRY(number_in(text, 1, 3'600'000));
    LockGuard guard(resources_lock);
    manager().period_ms = ms;
    return {};
}

Result<void> look_now(std::string_view word) {
    if (word != "detect") return Errno::inval;
    bool ends;
    {
        LockGuard guard(resources_lock);
        manager().detect();
        ends = manager().ends_processes();
    }
    if (ends) break_wait_cycle();
    return {};
}

}  // namespace

std::string_view answer_text(Answer answer) {
    switch (answer) {
        case Answer::granted: return "granted";
        case Answer::unavailable: return "waits: more than is available";
        case Answer::unsafe: return "denied for now: the state would be unsafe";
        case Answer::refused: return "refused: against the strategy's rules";
        case Answer::gives_back: return "waits: gave back what it held";
    }
    return "";
}

namespace {
constinit ChosenPolicy<Strategies, DefaultStrategy>
    chosen_strategy{};  // the manager's lock to choose
}
const Strategy& ResourceManager::strategy() const { return *chosen_strategy; }

constinit const PolicyChoice kStrategyChoice = {
    "deadlock", Strategies::kNames, [] { return chosen_strategy.index(); },
    [](uint32_t which) {
        if (!resource_manager) return chosen_strategy.choose(which);  // at boot
        LockGuard guard(resources_lock);
        chosen_strategy.choose(which);
        deadlock_look_soon();
        manager().serve_waiters();
    }};

void deadlock_report_init() {
    wait_begins = [](int holder, const char* what, uint32_t which) {
        trace<TraceType::waits_for_event>(static_cast<uint32_t>(holder), trace_text(what), which);
        // Read without the lock: a change of these settings asks for a look, too.
        if (manager().ends_processes() && manager().detection == ResourceManager::Detection::block)
            deadlock_look_soon();
    };
}

constexpr ProcEntry kReportFiles[] = {
    {.name = "deadlock",
     .show =
         [](TextSink& to) {
             show_state(to);
             show_wait_graph(to);
         },
     .store = look_now},
    {.name = "deadlock.dot",
     .show =
         [](TextSink& to) {
             to.put("digraph deadlock {\n");
             put_allocation_graph(to);
             draw_wait_graph(to);
             to.put("}\n");
         }},
};
PROC_FILES(proc_root, kReportFiles);

constexpr ProcEntry kSettings[] = {
    policy_file<kStrategyChoice>("strategy"),
    setting_file<kDetections, &ResourceManager::detection, true>("detection"),
    setting_file<kCures, &ResourceManager::cure, true>("recovery"),
    setting_file<kVictimRules, &ResourceManager::rule, false>("victim"),
    {.name = "period_ms",
     .show = [](TextSink& to) { format_to(to, "{}\n", manager().period_ms); },
     .store = set_period},
};
constexpr ProcEntry kDirectory[] = {{.name = "deadlock", .children = kSettings}};
PROC_FILES(proc_sys_kernel, kDirectory);
