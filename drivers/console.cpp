#include "drivers/console.hpp"

#include "drivers/serial.hpp"
#include "drivers/vga.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sync/spin_lock.hpp"

namespace {

constexpr uint32_t kRefreshInterval = 2 * kNanosecondsPerTick;

constinit IrqSpinLock g_lock{LockRank::console};
constinit bool g_panic = false;
constinit bool g_screen_wanted = true;
constinit bool g_use_screen = false;  // there is one, and it is wanted
constinit bool g_refreshed_by_timer = false;
constinit Timer g_refresh_timer;
using Answer = void (*)(std::span<const uint8_t> bytes);
constinit Answer g_answer = nullptr;

class ConsoleGuard {
  public:
    ConsoleGuard() NO_LOCK_ANALYSIS : locked_(!g_panic) {
        if (locked_) g_lock.lock();
    }
    ~ConsoleGuard() NO_LOCK_ANALYSIS {
        if (locked_) g_lock.unlock();
    }

  private:
    bool locked_;
};

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void put(std::span<const uint8_t> bytes) {
    com1().write(bytes);
    if (g_use_screen) vga_write(bytes);
}

void show() {
    if (g_use_screen && (!g_refreshed_by_timer || g_panic)) vga_refresh();
}

}  // namespace

void console_init() {
    bool serial = com1().initialise();
    bool screen = vga_init();
    g_use_screen = screen && g_screen_wanted;
    if (!serial) log_info("serial: no UART at COM1");
    if (!screen) log_info("vga: no screen in text mode");
}

void console_start_refresh(void (*answer)(std::span<const uint8_t> bytes)) {
    if (!g_use_screen) return;
    g_answer = answer;
    g_refresh_timer.fire = [](Timer& self) {
        uint8_t buffer[32];
        std::span<const uint8_t> answers;
        {
            ConsoleGuard guard;
            vga_refresh();
            answers = vga_take_answers(buffer);
        }
        if (g_answer && !answers.empty()) g_answer(answers);
        start_timer(self, monotonic_now() + kRefreshInterval);
    };
    g_refreshed_by_timer = true;
    start_timer(g_refresh_timer, monotonic_now() + kRefreshInterval);
}

void console_write(std::string_view text) {
    ConsoleGuard guard;
    while (!text.empty()) {
        size_t line = text.find('\n');
        put(bytes_of(text.substr(0, line)));
        if (line == text.npos) break;
        put(bytes_of("\r\n"));
        text.remove_prefix(line + 1);
    }
    show();
}

void console_write_raw(std::span<const uint8_t> bytes) {
    ConsoleGuard guard;
    put(bytes);
    show();
}

void console_use_screen(bool use) { g_screen_wanted = use; }

void console_enter_panic() { g_panic = true; }
