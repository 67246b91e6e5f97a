// Tty: a terminal as programs see it. A line discipline between an output function and received
// bytes, with the waiting, the settings and the job control around it.
// Received bytes are edited and echoed in the interrupt handler, so that typing is felt at once;
// the signals they stand for are sent by a kernel thread, because no process lock may be taken
// there. What hangs up (hang_up()) counts; a file remembers the count at which it was opened, and is of
// no use any more when the terminal's is another: its reads end, its writes fail with EIO.
// Locks: `lock_` (rank tty) guards all state; the JobControl is called without it, as
// process locks come first. `write_lock_` keeps the bytes of one write together.
// Spec: POSIX.1-2017 chapter 11; ioctl_tty(2), values of Linux i386.
#pragma once

#include "drivers/line_discipline.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/sync/mutex.hpp"

class Tty;

// What a terminal needs of processes; kernel/proc installs it. All in thread context.
struct JobControl {
    struct Caller {
        int process, group, session;
    };
    Caller (*caller)();                                // zeros for a kernel thread
    Tty* (*terminal)();                                // of the caller's session; null: none
    void (*set_terminal)(int session, Tty* terminal);  // null: none any more
    bool (*blocks_or_ignores)(int signal);             // the caller does
    bool (*is_orphaned)(int group);
    bool (*is_group_of_session)(int group, int session);
    void (*signal_group)(int group, int signal);
    // The session has lost its terminal: SIGHUP and SIGCONT to its leader, and when that ends, to the
    // group that was in the foreground.
    void (*terminal_lost)(int session, int foreground);
};
void install_job_control(const JobControl& job_control);
Tty* terminal_of_caller();  // null: none

class Tty {
  public:
    using Output = void (*)(uint32_t unit, std::span<const uint8_t> bytes);
    // `unit` tells the terminals of one output function apart.
    Tty(std::string_view name, uint32_t device_number, Output output, uint32_t unit = 0)
        : name_(name), device_number_(device_number), output_(output), unit_(unit) {}

    std::string_view name() const { return name_; }
    uint32_t device_number() const { return device_number_; }

    // Errors: EAGAIN; EIO for background processes that can't be stopped; restart if a signal came.
    // A read returns up to a line (4096 bytes at most); 0 is the end of file.
    // `opened`: what open_file() said.
    Result<uint32_t> read(std::span<uint8_t> to, bool non_blocking, uint32_t opened);
    Result<uint32_t> write(std::span<const uint8_t> from, bool non_blocking, uint32_t opened);
    Result<int32_t> ioctl(uint32_t request, uint32_t argument);

    bool readable();
    bool writable();
    WaitQueue& read_queue() { return read_queue_; }
    WaitQueue& write_queue() { return write_queue_; }

    // A file of it begins: how often it hung up before. EIO: it has no other end. And ends.
    virtual Result<uint32_t> open_file() { return hang_ups(); }
    virtual void close_file() {}
    uint32_t hang_ups();
    void hang_up();  // open files are of no use any more; its session has lost it
    // A process opened it: a session's leader without terminal gets it as its controlling one.
    void opened(bool no_controlling_terminal);
    // Its leader ended or gave the terminal up: SIGHUP and SIGCONT to the foreground.
    void session_ended(int session);
    int session();
    int foreground_group();

    WindowSize window_size();
    void set_window_size(const WindowSize& size);  // tells the foreground by SIGWINCH, soon
    void receive(std::span<const uint8_t> bytes);  // from an interrupt handler

    // The body of the kernel thread that sends signals to the foreground.
    [[noreturn]] void send_signals();

    static constexpr int kBackgroundRead = 21, kBackgroundChange = 22;  // SIGTTIN, SIGTTOU

  protected:
    ~Tty() = default;  // for ever
    // For a terminal whose other end is a program; with lock_ held.
    enum News : uint8_t {  // TIOCPKT_*, but the first
        input_read = 0,
        input_flushed = 1,
        output_flushed = 2,
        output_stopped = 4,
        output_started = 8,
        flow_control_off = 16,
        flow_control_on = 32,
    };
    virtual bool output_has_room() const REQUIRES(lock_) { return true; }
    virtual void tell_other_end(News) REQUIRES(lock_) {}
    void receive_locked(std::span<const uint8_t> bytes) REQUIRES(lock_);
    void send_waiting_signals();  // to the foreground, in thread context; no lock is held

  private:
    bool output_goes() const REQUIRES(lock_) {
        return !line_.output_stopped() && output_has_room();
    }
    Woken wait_for_input(size_t room, uint32_t opened) REQUIRES(lock_);
    uint32_t wanted_bytes(size_t room) const REQUIRES(lock_);
    Result<void> wait_until_output_goes(bool non_blocking, uint32_t opened);
    uint32_t transmit(std::span<const uint8_t> from);

    Termios2 settings();
    Result<int32_t> set_settings(const Termios2& wanted, bool flush);
    Result<int32_t> flow_control(uint32_t action);
    Result<int32_t> flush(uint32_t queue);
    int32_t waiting_input();

    Result<void> check_foreground(int signal);
    Result<int32_t> of_caller(int32_t value);
    Result<int32_t> become_controlling();
    Result<int32_t> give_up_controlling();
    Result<int32_t> set_foreground(int group);

    std::string_view name_;
    uint32_t device_number_;
    Output output_;
    uint32_t unit_;
    Mutex write_lock_{LockRank::tty_write};

  protected:
    IrqSpinLock lock_{LockRank::tty};
    LineDiscipline line_ GUARDED_BY(lock_);
    uint32_t input_speed_ GUARDED_BY(lock_) = 0, output_speed_ GUARDED_BY(lock_) = 0;
    WindowSize window_ GUARDED_BY(lock_) = {25, 80, 0, 0};
    int session_ GUARDED_BY(lock_) = 0;     // whose controlling terminal this is; 0: nobody's
    int foreground_ GUARDED_BY(lock_) = 0;  // a process group
    uint32_t unsent_signals_ GUARDED_BY(lock_) = 0;  // a set
    uint32_t hang_ups_ GUARDED_BY(lock_) = 0;
    WaitQueue read_queue_, write_queue_, signal_queue_;
};

// The console comes first: output to COM1 and the first screen, input from COM1 (and the keyboard). Then
// the other screens, tty2 to tty4, and COM2 as ttyS1, as far as the machine has them.
std::span<Tty* const> terminals();
Tty& console_tty();
Tty& shown_terminal();  // of the screen that is shown: the keyboard's
// After the scheduler and the clock. `size` is "COLUMNSxROWS", or empty: 80x25.
void tty_init(std::string_view size);
void second_line_init();  // COM2 as a terminal, where the host does not use it
