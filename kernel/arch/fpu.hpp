// x87 and SSE state of a thread: FXSAVE where the CPU has it, FNSAVE otherwise. The kernel itself
// uses neither, so the registers always hold the current user thread's values.
// Spec: Intel SDM vol. 1, 8.1.10 (FNSAVE), 10.5 (FXSAVE).
#pragma once

struct FpuState;

void fpu_init(bool has_fxsr, bool has_sse);  // once per CPU; also records the initial state
void fpu_save(FpuState& state);
void fpu_save_to(void* image);  // FXSAVE only: 512 bytes, 16-aligned
void fpu_load(const FpuState& state);
void fpu_reset(FpuState& state);  // what a new program starts with
bool fpu_has_fxsr();
const FpuState& initial_fpu_state();
// An image that came from a program: clears the MXCSR bits whose setting would fault.
void fpu_sanitise(FpuState& state);
