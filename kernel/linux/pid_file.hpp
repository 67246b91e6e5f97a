// A process as a file: its name cannot come to mean another process, as a number can. It is readable once
// the process has ended, whether its parent has asked for its status or not.
// Locks: process_tree for the process' state. Spec: pidfd_open(2), clone(2) CLONE_PIDFD.
#pragma once

#include "kernel/linux/anonymous_file.hpp"
#include "kernel/proc/process.hpp"

class PidFile final : public AnonymousFile {
  public:
    static constexpr char kKind = 0;
    // Without a process until it is given one, which is before others see the file.
    explicit PidFile(uint32_t flags) : AnonymousFile(flags, "anon_inode:[pidfd]") {}
    const void* kind() const override { return &kKind; }
    uint32_t poll(PollTable* table) override;
    void put_details(TextSink& to) override;  // "Pid:", -1 once it is buried

    Ref<Process> process;
};

// Whom this descriptor names: a PidFile, or a directory /proc/PID. EBADF, ESRCH.
Result<Ref<Process>> process_of(int fd, bool proc_too);
// Not yet buried.
bool is_known(const Process& process) REQUIRES(process_tree);
